"""Small images with Content Credentials for the browser tests: whole, changed, hostile, broken, kept elsewhere.

    pip install c2pa-python==0.38.1 cryptography==50.0.2 pillow==13.0.0
    python tests/browser/origin/credentials/make.py

Certificates are made on the spot, by nobody that anyone knows, and their keys are thrown away: a second run gives files
that say the same with other signatures. The openssl program stands in for the authority that signs times.
"""

import datetime
import http.server
import io
import json
import struct
import subprocess
import tempfile
import threading
import zlib
from pathlib import Path

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID as Usage, NameOID
from PIL import Image

HERE = Path(__file__).parent
SAMPLES = HERE.parents[3] / "www/samples"
#: Beyond this nothing here would be tested any more.
LAST_DAY = datetime.datetime(2126, 1, 1)
FIRST_DAY = datetime.datetime(2026, 1, 1)
SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
#: As a picture's maker may write: markup, text that turns its neighbours round, invisible signs, far too much of it.
HOSTILE = (
    "<img src=x onerror=\"document.title='broken in'\"><b>bold</b> "
    "\u202egnp.evil\u202c \u200b\u2066isolated\u2069 \x1b[31m"
)


class Authority:
    """A root that signs certificates for those who sign images and times."""

    def __init__(self, organisation: str):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
                x509.NameAttribute(NameOID.COMMON_NAME, f"{organisation[:40]} root"),
            ]
        )
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        self.certificate = self._sign(self.name, self.key, [(x509.BasicConstraints(True, None), True), (usage, True)])

    def _sign(self, name: x509.Name, key: ec.EllipticCurvePrivateKey, extensions: list) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(FIRST_DAY)
            .not_valid_after(LAST_DAY)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), False)
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self.key, hashes.SHA256())

    def certify(self, organisation: str, common: str, purpose: x509.ObjectIdentifier) -> tuple[str, str]:
        """A chain and its key, as PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
                x509.NameAttribute(NameOID.COMMON_NAME, common),
            ]
        )
        extensions = [
            (x509.BasicConstraints(False, None), True),
            (x509.KeyUsage(True, False, False, False, False, False, False, False, False), True),
            # An authority for times may do nothing else, and must say so.
            (x509.ExtendedKeyUsage([purpose]), purpose == Usage.TIME_STAMPING),
        ]
        leaf = self._sign(name, key, extensions)
        pem = serialization.Encoding.PEM
        chain = leaf.public_bytes(pem) + self.certificate.public_bytes(pem)
        plain = serialization.NoEncryption()
        return chain.decode(), key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain).decode()


class Clock:
    """An authority for times on this machine, with openssl behind it."""

    def __init__(self, authority: Authority, folder: Path):
        chain, key = authority.certify("Example Clock", "clock.example", Usage.TIME_STAMPING)
        (folder / "chain.pem").write_text(chain)
        (folder / "key.pem").write_text(key)
        (folder / "serial").write_text("01")
        (folder / "clock.cnf").write_text(
            "[tsa]\ndefault_tsa = clock\n[clock]\n"
            f"serial = {folder}/serial\nsigner_cert = {folder}/chain.pem\ncerts = {folder}/chain.pem\n"
            f"signer_key = {folder}/key.pem\nsigner_digest = sha256\ndefault_policy = 1.2.3.4\n"
            "digests = sha256, sha384, sha512\naccuracy = secs:1\ness_cert_id_alg = sha256\n"
        )

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                (folder / "query").write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
                command = ["openssl", "ts", "-reply", "-config", folder / "clock.cnf", "-queryfile", folder / "query"]
                reply = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *_):
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_port}/"


def part(name: str, left: int, top: int, side: int = 128) -> Image.Image:
    """A square of a sample; on the grid of 8 a decoded one stays decoded."""
    return Image.open(SAMPLES / name).convert("RGB").crop((left, top, left + side, top + side))


def encoded(image: Image.Image, kind: str) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **({"quality": 92} if kind == "JPEG" else {"optimize": True}))
    return out.getvalue()


def sign(image: bytes, mime: str, signer: tuple[str, str], manifest: dict, ingredients=(), remote="", clock=""):
    """The image with a manifest; `ingredients` are (definition, mime, bytes)."""
    # Without thumbnails the files stay small. The timestamps' authority is nobody's, as the signers are.
    settings = {
        "builder": {"thumbnail": {"enabled": False}},
        "verify": {"verify_after_sign": False, "verify_trust": False, "verify_timestamp_trust": False},
    }
    builder = c2pa.Builder(json.dumps(manifest), c2pa.Context.from_dict(settings))
    for definition, kind, source in ingredients:
        builder.add_ingredient(json.dumps(definition), kind, io.BytesIO(source))
    if remote:
        builder.set_no_embed()
        builder.set_remote_url(remote)
    chain, key = signer
    info = c2pa.C2paSignerInfo("es256", chain.encode(), key.encode(), clock.encode() if clock else None)
    out = io.BytesIO()
    builder.sign(c2pa.Signer.from_info(info), mime, io.BytesIO(image), out)
    return out.getvalue()


def manifest(title: str, generator: dict, actions: list[dict]) -> dict:
    data = {"actions": actions, "allActionsIncluded": True}
    assertions = [{"label": "c2pa.actions.v2", "data": data, "created": True}]
    return {"title": title, "claim_generator_info": [generator], "assertions": assertions}


def chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        found.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def png(parts: list[tuple[bytes, bytes]]) -> bytes:
    number = struct.Struct(">I").pack
    framed = [number(len(data)) + kind + data + number(zlib.crc32(kind + data)) for kind, data in parts]
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


def with_one_pixel_changed(signed: bytes) -> bytes:
    """The credentials as they were, around pixels that are not."""
    image = Image.open(io.BytesIO(signed)).convert("RGB")
    red, green, blue = image.getpixel((40, 40))
    image.putpixel((40, 40), (red ^ 1, green, blue))
    pixels = b"".join(data for kind, data in chunks(encoded(image, "PNG")) if kind == b"IDAT")
    parts = [(kind, data) for kind, data in chunks(signed) if kind != b"IDAT"]
    return png([*parts[:-1], (b"IDAT", pixels), parts[-1]])


def with_half_a_manifest(signed: bytes) -> bytes:
    """A sound image whose credentials break off."""
    return png([(kind, data[: len(data) // 2] if kind == b"caBX" else data) for kind, data in chunks(signed)])


def main():
    authority = Authority("Example Authority")
    painter = authority.certify("Example Painter", "painter.example", Usage.EMAIL_PROTECTION)
    camera = authority.certify("Example Camera", "Camera 0042", Usage.EMAIL_PROTECTION)
    editor = authority.certify("Example Editor", "editor.example", Usage.EMAIL_PROTECTION)
    stranger = authority.certify(HOSTILE[21:80], "\u202estranger\u202c <i>Ltd</i>", Usage.EMAIL_PROTECTION)
    files = {}

    decoded = encoded(part("dahlia.png", 64, 64), "PNG")
    created = {"action": "c2pa.created", "digitalSourceType": SOURCE + "trainedAlgorithmicMedia"}
    paint = {**created, "softwareAgent": {"name": "Example Painter", "version": "3.1"}}
    painting = manifest("dahlia.png", {"name": "Example Painter", "version": "3.1"}, [paint])
    with tempfile.TemporaryDirectory() as folder:
        clock = Clock(authority, Path(folder))
        files["generated.png"] = sign(decoded, "image/png", painter, painting, clock=clock.address)
        clock.server.shutdown()
    files["changed.png"] = with_one_pixel_changed(files["generated.png"])
    files["truncated.png"] = with_half_a_manifest(files["generated.png"])

    photograph = encoded(part("coffee.jpg", 40, 40, 192), "JPEG")
    captured = {"action": "c2pa.created", "digitalSourceType": SOURCE + "digitalCapture"}
    capture = manifest("IMG_0042.jpg", {"name": "Example Camera", "version": "1.0"}, [captured])
    taken = sign(photograph, "image/jpeg", camera, capture)
    brighter = Image.open(io.BytesIO(photograph)).point(lambda value: min(255, int(value * 1.05)))
    edits = [
        {"action": "c2pa.opened", "parameters": {"ingredientIds": ["taken"]}},
        {"action": "c2pa.cropped"},
        {"action": "c2pa.color_adjustments"},
        {
            "action": "c2pa.placed",
            "parameters": {"ingredientIds": ["leaf"]},
            "digitalSourceType": SOURCE + "compositeWithTrainedAlgorithmicMedia",
        },
        {"action": "com.example.sparkle", "description": "Sparkles"},
    ]
    files["edited.jpg"] = sign(
        encoded(brighter.crop((16, 16, 160, 160)), "JPEG"),
        "image/jpeg",
        editor,
        manifest("coffee, edited.jpg", {"name": "Example Editor", "version": "12"}, edits),
        ingredients=[
            ({"title": "IMG_0042.jpg", "relationship": "parentOf", "label": "taken"}, "image/jpeg", taken),
            ({"title": "leaf.png", "relationship": "componentOf", "label": "leaf"}, "image/png", decoded),
        ],
    )

    files["elsewhere.jpg"] = sign(
        photograph, "image/jpeg", camera, capture, remote="https://manifests.example/IMG_0042.c2pa?who=reader"
    )

    strange = manifest(
        HOSTILE + " long" * 2000,
        {"name": HOSTILE, "version": "<script>1</script>"},
        [
            {**created, "softwareAgent": {"name": HOSTILE}, "description": HOSTILE},
            {"action": "com.example.<b>x</b>\u202eyz"},
            *({"action": f"com.example.step{step}"} for step in range(60)),
        ],
    )
    files["hostile.png"] = sign(
        decoded,
        "image/png",
        stranger,
        strange,
        ingredients=[({"title": HOSTILE + " wide" * 400, "relationship": "componentOf"}, "image/png", decoded)],
    )

    for name, data in files.items():
        (HERE / name).write_bytes(data)
        print(f"{name}: {len(data)} bytes")


if __name__ == "__main__":
    main()
