"""A logged-in session of Odoo's web client, over JSON-RPC."""

import http.cookiejar
import json
import urllib.error
import urllib.request

from .console import DevError


class WebClient:
    """A session of one user.

    :param str address: where Odoo listens
    :param str database: the database
    :param str login: the user's login
    :param str password: the user's password
    """

    def __init__(self, address, database, login, password):
        self._address = address
        self._cookies = http.cookiejar.CookieJar()
        processor = urllib.request.HTTPCookieProcessor(self._cookies)
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), processor)
        session = self._post("/web/session/authenticate", {"db": database, "login": login, "password": password})
        self.user_id = session["uid"]

    def _post(self, path, parameters):
        payload = json.dumps({"jsonrpc": "2.0", "method": "call", "params": parameters})
        request = urllib.request.Request(self._address + path, payload.encode(), {"Content-Type": "application/json"})
        try:
            with self._opener.open(request, timeout=120) as response:
                answer = json.load(response)
        except urllib.error.URLError as error:
            raise DevError(f"Odoo does not answer at {self._address}: {error}") from error
        if "error" in answer:
            data = answer["error"].get("data", {})
            raise DevError(f"Odoo refused {path}: {data.get('message', answer['error'])}")
        return answer["result"]

    def call(self, model, method, *args, **kwargs):
        """:return: what a public method of a model returns"""
        return self._post(
            f"/web/dataset/call_kw/{model}/{method}",
            {"model": model, "method": method, "args": list(args), "kwargs": kwargs},
        )

    @property
    def cookie(self):
        """:return: the session's cookie
        :rtype: str
        """
        return next(cookie.value for cookie in self._cookies if cookie.name == "session_id")

    def switch_language(self, code):
        """Change the user's language.

        :param str code: such as ``fr_FR``
        :return: the language before
        :rtype: str
        """
        user = self.call("res.users", "read", [self.user_id], ["lang"])[0]
        if user["lang"] != code:
            self.call("res.users", "write", [self.user_id], {"lang": code})
        return user["lang"]
