"""Signs a quote: QUOTE_SECRET=... python3 quote.py KEY_ID < quote.json

In your shop, take sign() and call it where your page is made.
"""

import base64
import hashlib
import hmac
import json
import os
import sys


def sign(quote: dict, key_id: str, secret: str) -> str:
    """A quote, signed: what the element's `quote` takes."""
    payload = base64url(json.dumps(quote, ensure_ascii=False, separators=(",", ":")).encode())
    signed = f"v1.{key_id}.{payload}"
    signature = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64url(signature)}"


def base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


if __name__ == "__main__":
    print(sign(json.load(sys.stdin), sys.argv[1], os.environ["QUOTE_SECRET"]))
