import os, threading, time
import pytest
from werkzeug.serving import WSGIRequestHandler, make_server
from core.domain.orders.models import Order
from core.engines.configuration import Change, apply_changes
from tests.factories.orders import make_sku, make_warehouse
pytestmark = [pytest.mark.database, pytest.mark.timeout(4000)]

class Quiet(WSGIRequestHandler):
    def log(self, _t, m, *a): pass

def test_serve(floor):
    own = "custom.complaint"
    changes = [
        Change("entity", {"key": "complaint", "label": "Complaint", "label_plural": "Complaints", "title": "number", "icon": "alert-triangle", "help": "What we hold against suppliers."}),
        Change("entity", {"key": "complaint_line", "label": "Complaint line", "label_plural": "Complaint lines", "parent": own, "menu": ""}),
        Change("field", {"entity": own, "key": "number", "label": "Number", "type": "number", "series": "SC-{yyyy}-{n:4}", "in_list": True, "position": 10}),
        Change("field", {"entity": own, "key": "subject", "label": "Subject", "type": "text", "required": True, "in_list": True, "position": 20}),
        Change("field", {"entity": own, "key": "state", "label": "State", "type": "choice", "in_list": True, "choices": [{"value": "open", "label": "Open", "kind": "warn"}, {"value": "closed", "label": "Closed", "kind": "ok"}], "default": "open", "position": 30}),
        Change("field", {"entity": own, "key": "solution", "label": "Solution", "type": "long_text", "visible_if": {"field": "state", "op": "eq", "value": "closed"}, "required_if": {"field": "state", "op": "eq", "value": "closed"}, "position": 40}),
        Change("field", {"entity": own, "key": "order_id", "label": "Order", "type": "reference", "target": "orders.order", "position": 50}),
        Change("field", {"entity": own, "key": "cost", "label": "Cost", "type": "money", "currency": "CNY", "in_list": True, "position": 60}),
        Change("field", {"entity": own, "key": "seen_on", "label": "Seen on", "type": "date", "position": 70}),
        Change("field", {"entity": "custom.complaint_line", "key": "what", "label": "What", "type": "text"}),
        Change("field", {"entity": "orders.order", "key": "cf_gift", "label": "Gift wrap", "type": "boolean", "in_list": True}),
    ]
    with floor.world.database.unit(floor.world.tea) as s:
        apply_changes(s, floor.system.kinds, changes, note="First steps")
    with floor.world.database.unit(floor.world.tea) as s:
        apply_changes(s, floor.system.kinds, [Change("layout", {"entity": own, "role": "", "tabs": [{"title": "What happened", "sections": [{"title": "Complaint", "columns": 2, "fields": ["subject", "state", "solution"]}]}, {"title": "Money", "sections": [{"title": "", "columns": 1, "fields": ["cost", "order_id", "seen_on"]}]}], "columns": ["number", "subject", "state", "cost"], "cards": []})], note="Layout")
    b = floor.visitor("owner@tea.example")
    r = b.post("/t/tea/records/complaint/add", {"subject": "Damp tea 12 bags", "cost": "12.5", "state": "open"}, page="/t/tea/account/")
    loc = r.headers["Location"]; pk = loc.rpartition("/")[2]
    b.post(f"/t/tea/records/complaint-line/add?parent_id={pk}", {"parent_id": pk, "what": "Two bags"}, page="/t/tea/account/")
    floor.app.jinja_env.auto_reload = True
    floor.app.config["TEMPLATES_AUTO_RELOAD"] = True
    server = make_server("127.0.0.1", 8123, floor.app, threaded=True, request_handler=Quiet)
    t = threading.Thread(target=server.serve_forever, daemon=True); t.start()
    open("/work/notes/designer/record", "w").write(loc)
    stop = "/work/notes/designer/stop"
    while not os.path.exists(stop): time.sleep(0.5)
    os.remove(stop); server.shutdown()
