"""The page that `weir assess --html` writes, opened in a real browser.

Debian's chromium; `make test` installs it where it can, and the tests say so where there is none.
"""

import html
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium")
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
)
QUESTION = ("H20", "--to", "CN", "--on", "2025-07-15", "--model", "DeepSeek-R1")
WIDE = 1280
SECTIONS = ["What it is", "What the law says", "What it can do", "Sources"]
# Written into a copy of the page: what the browser made of it.
PROBE = """
<script>
document.body.setAttribute("data-probe", JSON.stringify({
  room: document.documentElement.clientWidth,
  width: document.documentElement.scrollWidth,
  pictures: Array.from(document.querySelectorAll("figure svg")).map(picture => {
    const box = picture.getBoundingClientRect();
    return {
      left: box.left, right: box.right, width: box.width, height: box.height,
      marks: picture.querySelectorAll("path, circle, rect, text").length,
    };
  }),
  dangling: Array.from(document.querySelectorAll("a[href^='#']"))
    .map(link => link.getAttribute("href").slice(1))
    .filter(id => !document.getElementById(decodeURIComponent(id))),
}));
</script>
"""

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium here; 'make test' as root installs it on Debian"
)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "h20.html"
    subprocess.run(
        [Path(sys.executable).with_name("weir"), "assess", *QUESTION, "--html", path],
        check=True,
        stdout=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )
    return path


def _open(page: Path, profile: Path, width: int) -> tuple[str, list[str]]:
    """The document as the browser holds it, and what it logged to the console."""
    done = subprocess.run(
        [
            str(CHROMIUM),
            *QUIET,
            f"--user-data-dir={profile}",
            f"--window-size={width},900",
            "--dump-dom",
            page.as_uri(),
        ],
        check=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )
    log = done.stderr.decode(errors="replace").splitlines()
    return done.stdout.decode(), [line for line in log if ":CONSOLE" in line]


def test_the_page_opens_without_a_complaint_and_has_its_parts(page: Path, tmp_path: Path) -> None:
    document, complaints = _open(page, tmp_path / "profile", WIDE)
    assert complaints == []
    (title,) = re.findall(r"<h1[^>]*>(.*?)</h1>", document, flags=re.DOTALL)
    assert "H20" in title
    assert "2025-07-15" in title
    headings = [html.unescape(item) for item in re.findall(r"<h2[^>]*>(.*?)</h2>", document)]
    assert [item for item in headings if item in SECTIONS] == SECTIONS


@pytest.mark.parametrize("width", [WIDE, 600])
def test_both_pictures_are_drawn_and_nothing_sticks_out(
    page: Path, tmp_path: Path, width: int
) -> None:
    probed = tmp_path / "probed.html"
    # The page allows no script; its copy has to run the probe.
    policy = r"<meta http-equiv=\"Content-Security-Policy\"[^>]*>"
    text, removed = re.subn(policy, "", page.read_text(encoding="utf-8"))
    assert removed == 1, "the page forbids scripts by itself"
    probed.write_text(text.replace("</body>", f"{PROBE}</body>"), encoding="utf-8")
    document, complaints = _open(probed, tmp_path / "profile", width)
    assert complaints == []
    (found,) = re.findall(r'data-probe="([^"]*)"', document)
    probe = json.loads(html.unescape(found))
    assert len(probe["pictures"]) == 2
    for picture in probe["pictures"]:
        assert picture["width"] > 300
        assert picture["height"] > 150
        assert picture["left"] >= 0
        if width >= WIDE:  # on a narrow screen a picture scrolls in its frame
            assert picture["right"] <= probe["room"] + 1
        assert picture["marks"] > 20
    assert probe["width"] <= probe["room"], "the page scrolls sideways"
    assert probe["dangling"] == []


def test_the_page_needs_nothing_from_elsewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    loads = re.findall(r"<(?:script|link|img|iframe|image)\b[^>]*\b(?:src|href)=\"([^\"]+)", text)
    assert [target for target in loads if not target.startswith("data:")] == []
    assert not re.findall(r"@import|url\((?!['\"]?(?:data:|#))", text)
