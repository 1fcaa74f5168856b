import pytest
pytestmark = pytest.mark.database

def test_smoke(floor):
    b = floor.visitor("owner@tea.example")
    for path in ["/customise/", "/customise/new", "/customise/orders.order/", "/customise/orders.order/fields/add", "/customise/orders.order/layouts/", "/customise/orders.order/layouts/everybody",
                 "/customise/orders.order/words/", "/customise/versions/", "/customise/file/", "/customise/file/configuration.toml", "/customise/key?label=供应商投诉", "/customise/say/series?series=A-{n:4}"]:
        p = b.get("/t/tea" + path)
        print(path, p.status_code, len(p.text), p.text if len(p.text) < 200 else "")
        assert p.status_code == 200, p.text[-3000:]
    from core.delivery.screens.customise_types import TYPE_CARDS
    for key in TYPE_CARDS:
        p = b.get(f"/t/tea/customise/orders.order/fields/add?type={key}")
        assert p.status_code == 200, (key, p.text[-3000:])
    r = b.post("/t/tea/customise/new", {"label": "供应商投诉", "called": "number", "series": "SC-{yyyy}-{n:4}", "icon": "alert-triangle", "menu": "records", "base": "0"}, page="/t/tea/account/")
    print(r.status_code, r.headers.get("Location"), r.text[:300])
    assert r.status_code == 303, r.text[-6000:]
    for p in ["/", "/edit", "/layouts/", "/fields/add?type=choice"]:
        x = b.get("/t/tea/customise/custom.gongyingshangtousu" + p); assert x.status_code == 200, x.text[-2000:]
