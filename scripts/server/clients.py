#!/usr/bin/env python3
"""Talks to a running server as LibreTranslate's own client does, and as many clients at once.

    scripts/server/clients.py http://127.0.0.1:5000 [--requests 1000] [--clients 16]

Needs libretranslatepy from PyPI. For the interface's description there is schemathesis:
    schemathesis run http://127.0.0.1:5000/spec --url http://127.0.0.1:5000 -n 20
"""
import argparse, concurrent.futures, json, re, time, urllib.error, urllib.request
from libretranslatepy import LibreTranslateAPI


def post(address, body):
    request = urllib.request.Request(address + "/translate", json.dumps(body).encode(), {"Content-Type": "application/json"})
    while True:
        try:
            with urllib.request.urlopen(request, timeout=600) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as error:
            if error.code != 429:
                raise
            time.sleep(0.2)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address")
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=16)
    args = parser.parse_args()
    client = LibreTranslateAPI(args.address + "/")
    print(client.languages())
    print(client.detect("তারা ভালো আছেন।"))
    english = client.translate("তারা ভালো আছেন।", "bn", "en")
    print(english)
    assert english and english.isascii(), english
    began = time.monotonic()
    wrong = []

    def one(number):
        number += 10_000
        text = f"মোট {number} জন মানুষ ঢাকায় এসেছেন।"
        english = post(args.address, {"q": text, "source": "bn", "target": "en"})["translatedText"]
        if re.sub(r"\D", "", english) != str(number):
            wrong.append((number, english))

    with concurrent.futures.ThreadPoolExecutor(args.clients) as pool:
        list(pool.map(one, range(args.requests)))
    seconds = time.monotonic() - began
    other = [w for w in wrong if re.search(r"\b1\d{4}\b", w[1].replace(",", "")) and str(w[0]) not in w[1].replace(",", "")]
    print(f"{args.requests} requests by {args.clients} clients in {seconds:.1f} s, {6 * args.requests / seconds:.0f} words a second")
    print(f"{len(wrong)} answers without just their own number, {len(other)} with another's: {wrong[:5]}")
    assert not other


if __name__ == "__main__":
    main()
