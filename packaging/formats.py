"""Archives that have the same octets whenever they are made: tar, ar, zip, and what is made of them.

Nothing here knows what the program is. A file is its path, its octets and its mode; times are those
of SOURCE_DATE_EPOCH, owners are root, and the order is that in which files are given.
"""

import base64
import dataclasses
import gzip
import hashlib
import io
import json
import lzma
import tarfile
import time
import zipfile


@dataclasses.dataclass(frozen=True)
class File:
    path: str
    octets: bytes
    mode: int = 0o644


@dataclasses.dataclass(frozen=True)
class Folder:
    path: str
    mode: int = 0o755


def sha256(octets):
    return hashlib.sha256(octets).hexdigest()


def gzipped(octets):
    buffer = io.BytesIO()
    # No time and no name: they would differ.
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0) as file:
        file.write(octets)
    return buffer.getvalue()


def tar(entries, epoch):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for entry in entries:
            member = tarfile.TarInfo(entry.path)
            member.mtime = epoch
            member.mode = entry.mode
            member.uname = member.gname = "root"
            if isinstance(entry, Folder):
                member.type = tarfile.DIRTYPE
                archive.addfile(member)
            else:
                member.size = len(entry.octets)
                archive.addfile(member, io.BytesIO(entry.octets))
    return buffer.getvalue()


def with_folders(files, root=""):
    """The files of a tree, each folder before what is in it."""
    seen = set()
    for file in files:
        parts = file.path.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            folder = "/".join(parts[:depth])
            if folder not in seen and folder not in ("", "."):
                seen.add(folder)
                yield Folder(root + folder + "/")
        yield dataclasses.replace(file, path=root + file.path)


def deb(control, files, epoch):
    """A Debian package (deb(5)): an ar archive of a version, a control archive and a data archive.

    `control` is the text of the control file, without Installed-Size.
    """
    kibioctets = sum((len(file.octets) + 1023) // 1024 for file in files)
    sums = "".join(f"{hashlib.md5(file.octets).hexdigest()}  {file.path}\n" for file in files)
    control = control.rstrip("\n") + f"\nInstalled-Size: {kibioctets}\n"
    control_tar = tar(
        [Folder("./"), File("./control", control.encode()), File("./md5sums", sums.encode())], epoch
    )
    data_tar = tar([Folder("./"), *with_folders(files, "./")], epoch)
    members = [
        ("debian-binary", b"2.0\n"),
        ("control.tar.gz", gzipped(control_tar)),
        ("data.tar.xz", lzma.compress(data_tar, check=lzma.CHECK_CRC32, preset=6)),
    ]
    archive = b"!<arch>\n"
    for name, octets in members:
        head = f"{name:<16}{epoch:<12}{0:<6}{0:<6}{'100644':<8}{len(octets):<10}`\n".encode()
        archive += head + octets + b"\n" * (len(octets) % 2)
    return archive


def oci(entries, config, name, version, labels, epoch):
    """An image as an OCI layout (image-spec 1.1) in a tar: one layer, no engine needed to make it.

    Two things are there for engines that load the file, as `docker save` writes them: `manifest.json`,
    which is no part of a layout but allowed beside it, and containerd's name of the image.
    """
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch))
    layer_tar = tar(entries, epoch)
    layer = gzipped(layer_tar)
    blobs = []

    def blob(octets, media_type, **more):
        blobs.append(octets)
        return {
            "mediaType": media_type,
            "digest": "sha256:" + sha256(octets),
            "size": len(octets),
            **more,
        }

    def text(value):
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()

    layer_entry = blob(layer, "application/vnd.oci.image.layer.v1.tar+gzip")
    configuration = text(
        {
            "created": created,
            "architecture": "amd64",
            "os": "linux",
            "config": {**config, "Labels": labels},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + sha256(layer_tar)]},
            "history": [{"created": created, "created_by": "scripts/package"}],
        }
    )
    config_entry = blob(configuration, "application/vnd.oci.image.config.v1+json")
    manifest = text(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": config_entry,
            "layers": [layer_entry],
            "annotations": labels,
        }
    )
    manifest_entry = blob(
        manifest,
        "application/vnd.oci.image.manifest.v1+json",
        annotations={
            "io.containerd.image.name": f"docker.io/library/{name}:{version}",
            "org.opencontainers.image.ref.name": version,
        },
        platform={"architecture": "amd64", "os": "linux"},
    )
    index = text(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [manifest_entry],
        }
    )

    def path(entry):
        return "blobs/" + entry["digest"].replace(":", "/")

    for_engines = text(
        [
            {
                "Config": path(config_entry),
                "RepoTags": [f"{name}:{version}"],
                "Layers": [path(layer_entry)],
            }
        ]
    )
    return tar(
        [
            Folder("blobs/"),
            Folder("blobs/sha256/"),
            *(File("blobs/sha256/" + sha256(octets), octets) for octets in blobs),
            File("index.json", index),
            File("manifest.json", for_engines),
            File("oci-layout", text({"imageLayoutVersion": "1.0.0"})),
        ],
        epoch,
    )


def wheel(name, version, tag, files, metadata, entry_points, epoch):
    """A wheel (the PyPA's binary distribution format 1.0)."""
    folder = f"{name}-{version}.dist-info"
    about = f"Wheel-Version: 1.0\nGenerator: scripts/package\nRoot-Is-Purelib: false\nTag: {tag}\n"
    files = [
        *files,
        File(f"{folder}/METADATA", metadata.encode()),
        File(f"{folder}/WHEEL", about.encode()),
        File(f"{folder}/entry_points.txt", entry_points.encode()),
    ]
    record = ""
    for file in files:
        digest = base64.urlsafe_b64encode(hashlib.sha256(file.octets).digest()).rstrip(b"=")
        record += f"{file.path},sha256={digest.decode()},{len(file.octets)}\n"
    record += f"{folder}/RECORD,,\n"
    files.append(File(f"{folder}/RECORD", record.encode()))
    buffer = io.BytesIO()
    # The format has no year before 1980.
    moment = max(time.gmtime(epoch)[:6], (1980, 1, 1, 0, 0, 0))
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            entry = zipfile.ZipInfo(file.path, moment)
            entry.create_system = 3
            entry.external_attr = (0o100000 | file.mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, file.octets)
    return buffer.getvalue()
