import pytest
pytestmark = pytest.mark.database
def test_x(site):
    site.member("a@tea.example", ["owner"])
    b = site.browser()
    r = b.get("/login/"); print(r.status_code, r.headers, r.text[:600])
    r = b.sign_in("a@tea.example"); print(r.status_code, r.headers)
    r = b.get("/"); print(r.status_code, r.location)
    for p in ["/t/tea/","/t/tea/account/","/t/tea/members/","/t/tea/roles/","/t/tea/tokens/","/t/tea/audit/","/t/tea/probe/read","/t/gift/","/t/nosuch/","/t/tea/nosuch","/account/","/account/password","/logout/","/t/tea/roles/add"]:
        r = b.get(p); print(p, r.status_code, r.location, len(r.text))
        if r.status_code>=500: print(r.text[:500])
    assert 0
