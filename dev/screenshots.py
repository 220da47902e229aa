"""``make screenshots``: pictures of the addon's screens, taken in a real browser.

Without options it takes the pictures of the addon's description. For a look at any screen:

    make screenshots ARGS="--url /odoo/collection-debtors --out /tmp/debtors.png --lang fr_FR"
"""

import contextlib
import dataclasses
import pathlib

from . import databases, environment, serve
from .browser import Browser
from .console import DevError, log
from .files import lock
from .paths import CHECKOUT, LOGS, ROOT
from .web_client import WebClient


@dataclasses.dataclass(frozen=True)
class Picture:
    """One picture.

    :param str name: the file's name, without its ending
    :param str url: the page, below Odoo's address
    :param str lang: the language of the screen
    :param tuple size: width and height of the window
    :param str wait: a CSS selector of something that must be there
    :param str script: JavaScript to run before the picture; it may use ``await``
    :param bool full: as high as the page's content
    """

    name: str
    url: str
    lang: str = "en_US"
    size: tuple = (1400, 860)
    wait: str = ""
    script: str = ""
    full: bool = False


# Opens the first record of a kanban or list and waits for its form.
_OPEN_FIRST = """
const until = (selector) => new Promise((resolve) => {
    const timer = setInterval(() => {
        if (document.querySelector(selector)) { clearInterval(timer); setTimeout(resolve, 1200); }
    }, 100);
});
document.querySelector(".o_kanban_record:not(.o_kanban_ghost), .o_data_row td[name=partner_id]").click();
await until(".o_form_view");
"""
_LOG_CALL = (
    _OPEN_FIRST
    + """
document.querySelector("button[name=action_log_call]").click();
await until(".modal-body .o_form_view");
document.querySelector("[name=next_step] input[data-value=promise]").click();
await new Promise((resolve) => setTimeout(resolve, 1200));
"""
)
# The recap of the closed campaign, the first that the demo data make.
_RECAP = "/report/html/account_collection.report_campaign_recap/1"

# The pictures of README.md and static/description/index.html.
PICTURES = (
    Picture("dashboard", "/odoo/collection-dashboard", size=(1400, 1100), wait=".o_collection_dashboard"),
    Picture("kanban", "/odoo/collection-cases", wait=".o_kanban_record"),
    Picture("case", "/odoo/collection-cases", wait=".o_kanban_record", script=_OPEN_FIRST),
    Picture("call", "/odoo/collection-cases", wait=".o_kanban_record", script=_LOG_CALL),
    Picture("debtor", "/odoo/collection-debtors", wait=".o_data_row", script=_OPEN_FIRST),
    Picture("score", "/odoo/collection-score", wait=".o_form_view"),
    Picture("next_days", "/odoo/collection-next-days"),
    Picture("recap", _RECAP, size=(1000, 1240)),
)

# The web client shows no action yet, or still loads something. Other pages have no such sign.
_READY = """
document.readyState === "complete"
&& !document.querySelector(".o_loading_indicator, .o_blockUI, .o_view_sample_data.o_loading")
&& (
    !document.querySelector("body.o_web_client")
    || document.querySelector(".o_action_manager > *, .o_home_menu, .o_error_dialog")
)
"""
_NO_ANIMATION = """
{
    const style = document.createElement("style");
    style.textContent = "*, *::before, *::after { transition: none !important;"
        + " animation: none !important; caret-color: transparent !important; }";
    document.head.append(style);
}
"""
_HIDDEN_HEIGHT = """
Math.max(0, ...[document.scrollingElement, ...document.querySelectorAll("*")]
    .filter((element) => element === document.scrollingElement
        || ["auto", "scroll"].includes(getComputedStyle(element).overflowY))
    .map((element) => element.scrollHeight - element.clientHeight))
"""


def add_arguments(parser):
    """:param argparse.ArgumentParser parser: the command's own"""
    parser.add_argument("--only", metavar="NAME", help="take only this picture of the list")
    parser.add_argument("--url", action="append", help="take a picture of this page instead; may be repeated")
    parser.add_argument("--out", action="append", help="the PNG file of each --url, or the list's folder")
    parser.add_argument("--lang", help="the language, such as fr_FR")
    parser.add_argument("--size", help="the window's size, such as 1400x860 or 390x844")
    parser.add_argument("--wait", help="a CSS selector of something that must be there")
    parser.add_argument("--js", help="JavaScript to run before the picture (may use await)")
    parser.add_argument("--full", action="store_true", help="as high as the page's content")
    parser.add_argument("--login", default="admin", help="the user ('' for a visitor)")
    parser.add_argument("--password", help="the user's password (default: the login)")
    parser.add_argument("--port", type=int, help="use the Odoo that listens there already")


def run(args):
    """Take the pictures.

    :param argparse.Namespace args: the command's arguments
    :return: whether no page showed an error
    :rtype: bool
    """
    pictures = _ad_hoc(args) if args.url else _listed(args)
    env = environment.set_up(browser=True)
    database = databases.demo(env)
    # The language is the user's own: two at a time would disturb each other.
    with lock(CHECKOUT / "screenshots.lock"), _odoo(env, database, args.port) as address:
        with Browser(CHECKOUT / "browser", env.environ) as browser, _session(args, address, database) as client:
            if client:
                browser.set_cookie(address, "session_id", client.cookie)
            return all([_take(browser, client, address, *picture) for picture in pictures])


def _ad_hoc(args):
    """:return: the pictures of the command line, each with its file
    :rtype: list
    """
    if len(args.url) != len(args.out or []):
        raise DevError("Each --url needs an --out with the file to write.")
    return [
        (_adapted(Picture(pathlib.Path(out).stem, url), args), pathlib.Path(out).resolve())
        for url, out in zip(args.url, args.out, strict=True)
    ]


def _listed(args):
    """:return: the pictures of the list, each with its file
    :rtype: list
    """
    folder = pathlib.Path(args.out[0]) if args.out else ROOT / "static/description"
    chosen = [picture for picture in PICTURES if args.only in (None, picture.name)]
    if not chosen:
        names = ", ".join(picture.name for picture in PICTURES)
        raise DevError(f"There is no picture {args.only}; there are {names}.")
    return [(_adapted(picture, args), folder / f"{picture.name}.png") for picture in chosen]


def _adapted(picture, args):
    """:return: the picture with what the command line asks for
    :rtype: Picture
    """
    changes = {"lang": args.lang, "wait": args.wait, "script": args.js, "full": args.full}
    if args.size:
        changes["size"] = tuple(int(pixels) for pixels in args.size.split("x"))
    return dataclasses.replace(picture, **{key: new for key, new in changes.items() if new})


@contextlib.contextmanager
def _odoo(env, database, port):
    """Have an Odoo on the demo database for the length of a block.

    :param Environment env: the environment
    :param str database: the demo database
    :param port: the port of one that runs already, or ``None``
    :return: its address
    """
    if port:
        yield f"http://127.0.0.1:{port}"
        return
    port = environment.free_port()
    logfile = LOGS / "screenshots.log"
    log(f"Pictures: starting Odoo, log in {logfile}")
    with open(logfile, "w") as output:
        with serve.running(env, database, port, output=output):
            yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def _session(args, address, database):
    """Log in, and leave the user's language as it was.

    :return: the session, or ``None`` for a visitor
    """
    if not args.login:
        yield None
        return
    client = WebClient(address, database, args.login, args.password or args.login)
    before = client.switch_language("en_US")
    try:
        yield client
    finally:
        client.switch_language(before)


def _take(browser, client, address, picture, path):
    """Take one picture.

    :return: whether the page showed no error
    :rtype: bool
    """
    if client:
        client.switch_language(picture.lang)
    # For a visitor, the portal looks at this cookie, and the login page at the browser's language.
    browser.set_cookie(address, "frontend_lang", picture.lang)
    browser.prefer_language(picture.lang.replace("_", "-"))
    browser.resize(*picture.size)
    browser.open(address + picture.url)
    _settle(browser, picture.wait)
    browser.evaluate(_NO_ANIMATION)
    if picture.script:
        browser.evaluate(f"(async () => {{ {picture.script} }})()")
        _settle(browser)
    if picture.full:
        width, height = picture.size
        browser.resize(width, height + browser.evaluate(_HIDDEN_HEIGHT))
        _settle(browser)
    browser.capture(path)
    log(f"Pictures: {path}")
    for problem in browser.problems:
        print(f"{picture.name}: {problem}")
    return not browser.evaluate("Boolean(document.querySelector('.o_error_dialog'))")


def _settle(browser, selector=""):
    browser.wait_until(_READY, "its content")
    if selector:
        browser.wait_until(f"document.querySelector({selector!r})", selector)
    browser.wait_quiet()
    browser.wait_until(_READY, "its content")
