#!/usr/bin/env python3
"""Drives the server's page in a real browser: pastes, watches, toggles, drops, cancels, and takes pictures.

    scripts/server/page.py http://127.0.0.1:5000 FOLDER-FOR-PICTURES [--browser /usr/bin/chromium]

Needs playwright from PyPI and a chromium; nothing else is loaded.
"""
import argparse, pathlib, time
from playwright.sync_api import sync_playwright

ROOT = pathlib.Path(__file__).resolve().parents[2]
DROP = """(file) => {
  const data = new DataTransfer();
  data.items.add(new File([file.text], file.name, { type: "text/html" }));
  for (const kind of ["dragover", "drop"]) {
    document.body.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
  }
}"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address")
    parser.add_argument("pictures", type=pathlib.Path)
    parser.add_argument("--browser", default="/usr/bin/chromium")
    args = parser.parse_args()
    args.pictures.mkdir(parents=True, exist_ok=True)
    article = (ROOT / "samples/lavrov.txt").read_text()
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=args.browser, args=["--no-sandbox"])
        faults, outside = [], []

        def page(width, **options):
            opened = browser.new_page(viewport={"width": width, "height": 900}, **options)
            opened.on("console", lambda m: faults.append(m.text) if m.type in ("error", "warning") else None)
            opened.on("pageerror", lambda e: faults.append(str(e)))
            opened.on("request", lambda r: outside.append(r.url) if not r.url.startswith((args.address, "blob:", "data:")) else None)
            opened.goto(args.address)
            return opened

        def picture(opened, name):
            opened.screenshot(path=args.pictures / f"{name}.png", full_page=True)

        wide = page(1280)
        picture(wide, "empty-1280")
        wide.fill("#text", article)
        began = time.monotonic()
        wide.click("#go")
        wide.wait_for_function("document.querySelector('.pair:not(.waiting) .en')?.textContent", timeout=60_000)
        first = time.monotonic() - began
        wide.wait_for_selector("#go:not([disabled])", timeout=300_000)
        whole = time.monotonic() - began
        rows = wide.locator(".pair").count()
        assert rows > 20 and wide.locator(".pair.waiting, .pair.draft").count() == 0, wide.inner_text("#status")
        assert wide.locator("#sentences p").count() > 0, "no summary"
        print(f"first sentence after {first:.1f} s, all {rows} after {whole:.1f} s: {wide.inner_text('#status')}")
        doubtful = wide.locator(".pair.doubtful, .pair.unsure").first
        doubtful.focus()
        wide.keyboard.press("Enter")
        assert doubtful.get_attribute("aria-expanded") == "true" and doubtful.locator(".why li").count() > 0
        picture(wide, "done-1280")
        with wide.expect_download() as download:
            wide.click("[data-form=html]")
        saved = args.pictures / "download.html"
        download.value.save_as(saved)
        assert "Content-Security-Policy" in saved.read_text()
        assert wide.locator("#earlier li").count() == 1, "no history"
        # a file that is dropped
        rain = (ROOT / "samples/rain.html").read_text()
        wide.evaluate(DROP, {"text": rain, "name": "rain.html"})
        wide.wait_for_selector("#go[disabled]")
        wide.wait_for_selector("#go:not([disabled])", timeout=300_000)
        assert wide.locator(".pair.head .bn").inner_text().startswith("টানা বৃষ্টিতে"), "not the dropped file"
        print(f"dropped: {wide.inner_text('#status')}")
        # one that is cancelled
        wide.fill("#text", article * 5)
        wide.click("#go")
        wide.wait_for_selector(".pair")
        wide.click("#cancel")
        wide.wait_for_selector("#go:not([disabled])", timeout=5_000)
        print(f"cancelled: {wide.inner_text('#status')}")
        narrow = page(360, color_scheme="dark", locale="bn-BD")
        picture(narrow, "empty-360")
        narrow.fill("#text", article[:2500])
        narrow.click("#go")
        narrow.wait_for_selector("#go:not([disabled])", timeout=300_000)
        picture(narrow, "done-360")
        assert narrow.evaluate("document.documentElement.scrollWidth") <= 360, "it scrolls sideways"
        # without JavaScript, the plain form
        plain = browser.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 900}).new_page()
        plain.goto(args.address)
        plain.fill("#text", article[:2500])
        plain.click("#go")
        plain.wait_for_selector(".pair", timeout=120_000)
        picture(plain, "plain-1280")
        # the page that is saved, in a phone, on paper
        for name, options in [("saved-360", {"viewport": {"width": 360, "height": 900}}), ("saved-1280", {"viewport": {"width": 1280, "height": 900}})]:
            alone = browser.new_page(**options)
            alone.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
            alone.goto(saved.resolve().as_uri())
            picture(alone, name)
            assert alone.evaluate("document.documentElement.scrollWidth") <= options["viewport"]["width"]
        alone.emulate_media(media="print")
        picture(alone, "saved-print")
        browser.close()
    assert not outside, f"it asked elsewhere: {outside}"
    assert not faults, f"the browser complains: {faults}"


if __name__ == "__main__":
    main()
