"""Tries each artefact in a root that holds nothing else, as whoever downloads it would.

The roots are folders below a temporary one, entered with chroot in a mount namespace of their own,
so this needs root. What listens takes a free port on loopback; every process is stopped by its id.
"""

import gzip
import io
import json
import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.parse
import urllib.request
import xml.etree.ElementTree

from formats import sha256

# Enters a root and becomes the program: mounts, changes root, then user, and executes.
ENTER = """
import json, os, subprocess, sys
root, user, read_only, environment, command = json.loads(sys.argv[1])
mount = lambda *words: subprocess.run(["mount", *words], check=True)
mount("--make-rprivate", "/")
mount("--bind", root, root)
mount("-t", "proc", "proc", root + "/proc")
if read_only:
    mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", root + "/tmp")
    mount("-o", "remount,bind,ro", root)
os.chroot(root)
os.chdir("/")
if user:
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)
os.execve(command[0], command, environment)
"""


class Failed(Exception):
    pass


def expect(truth, what):
    if not truth:
        raise Failed(what)


def enter(root, command, user=0, read_only=False, environment=None, **more):
    """A process that sees `root` and nothing else."""
    root.chmod(0o755)
    (root / "proc").mkdir(exist_ok=True)
    (root / "tmp").mkdir(exist_ok=True)
    (root / "tmp").chmod(0o1777)
    what = json.dumps([str(root), user, read_only, environment or {}, command])
    return subprocess.Popen(
        ["unshare", "--mount", sys.executable, "-c", ENTER, what],
        stdin=subprocess.DEVNULL, **more,
    )


def get(url, data=None, **fields):
    request = urllib.request.Request(url, data=data, headers=fields)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status, answer.read()


def serves(start, since):
    """Starts a server, has a token and a list from it, stops it.

    Returns the seconds from `since` to the first 200.
    """
    process = start(stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        found = re.search(r":(\d+)$", line.strip())
        if not found:
            raise Failed(f"it does not listen: {line}{process.stderr.read()}")
        base = f"http://127.0.0.1:{found.group(1)}"
        expect(get(base + "/__admin/ready")[0] == 200, "it is not ready")
        seconds = time.monotonic() - since
        form = urllib.parse.urlencode(
            {"grant_type": "client_credentials", "client_id": "acme-partner",
             "client_secret": "acme-partner-secret"}
        ).encode()
        token = json.loads(get(base + "/oauth2/token", form)[1])["access_token"]
        sites = get(base + "/integrations/v1/acme/sites", Authorization="Bearer " + token)
        expect(sites[0] == 200 and len(json.loads(sites[1])) > 0, "it has no sites")
        process.send_signal(signal.SIGTERM)
        expect(process.wait(10) == 0, f"it ends with {process.returncode}")
        return seconds
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stdout.close()
        process.stderr.close()


def same(one, other, names):
    """Whether two packagings have the same octets."""
    for name in names:
        first, second = (sha256((folder / name).read_bytes()) for folder in (one, other))
        expect(first == second, f"{name} differs from one packaging to the next")
    print(f"check: packed twice, {len(list(names))} files, the same octets")


def sums(folder):
    result = subprocess.run(
        ["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=folder, check=False
    )
    expect(result.returncode == 0, "SHA256SUMS does not fit")


def archive(path, root):
    """The program of the archive alone in a root, with /tmp and a mounted /proc."""
    since = time.monotonic()
    with tarfile.open(path) as file:
        file.extractall(root, filter="data")
    unpacked = next(root.iterdir())
    names = sorted(str(file.relative_to(unpacked)) for file in unpacked.rglob("*"))
    (unpacked / "qubs-mock").rename(root / "qubs-mock")
    manual = (unpacked / "qubs-mock.1").read_bytes()
    shutil.rmtree(unpacked)
    command = ["/qubs-mock", "serve", "--port", "0", "--log", "off"]
    seconds = serves(lambda **more: enter(root, command, **more), since)
    for name in ["LICENSE", "NOTICE", "qubs-mock.1", "completions/qubs-mock.bash"]:
        expect(name in names, f"{name} is missing")
    for word in [rb"\-\-ready\-file", b"qubs\\-mock", b".SH NAME"]:
        expect(word in manual, f"the man page has no {word}")
    # A client of its own: the only command in this root is the program itself.
    run = enter(root, ["/qubs-mock", "run", "--", "/qubs-mock", "openapi"],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    expect(run.wait(30) == 2, f"run, where nothing was exercised, ends with {run.returncode}")
    return seconds


def debian(path, root):
    """The package, installed into an empty root and removed."""
    since = time.monotonic()
    base = root / "var/lib/dpkg"
    for folder in ["info", "updates", "triggers"]:
        (base / folder).mkdir(parents=True)
    (base / "status").touch()
    dpkg = ["dpkg", f"--root={root}", "--force-script-chrootless"]
    subprocess.run([*dpkg, "--install", path], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.PIPE)
    command = ["/usr/bin/qubs-mock", "serve", "--port", "0", "--log", "off"]
    seconds = serves(lambda **more: enter(root, command, **more), since)
    for name in ["share/man/man1/qubs-mock.1.gz", "lib/systemd/system/qubs-mock.service",
                 "share/bash-completion/completions/qubs-mock"]:
        expect((root / "usr" / name).is_file(), f"{name} is missing")
    unit(root)
    subprocess.run([*dpkg, "--purge", "qubs-mock"], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    left = [file for file in (root / "usr").rglob("*") if file.is_file()]
    expect(not left, f"files are left behind: {left[:3]}")
    return seconds


def unit(root):
    """What systemd says of the unit in this root, where systemd is there."""
    if not shutil.which("systemd-analyze"):
        print("check: the systemd unit is skipped: there is no systemd-analyze")
        return
    others = root / "etc/systemd/system"
    others.mkdir(parents=True)
    # Those of every system, which this root has not.
    for name in ["sysinit", "basic", "shutdown", "network", "multi-user"]:
        (others / f"{name}.target").write_text(f"[Unit]\nDescription={name}\n")
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", f"--root={root}", "qubs-mock.service"],
        check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    shutil.rmtree(others)
    expect(said.returncode == 0 and not said.stdout, f"the systemd unit: {said.stdout}")
    print("check: systemd takes the unit")


def debian_itself(path, root):
    """The package in a whole Debian, where debootstrap can make one."""
    made = subprocess.run(
        ["debootstrap", "--variant=minbase", "bookworm", root], check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if made.returncode != 0:
        print("check: a whole Debian is skipped: debootstrap ends with", made.returncode)
        return
    shutil.copy(path, root / "qubs-mock.deb")
    since = time.monotonic()
    subprocess.run(["chroot", root, "dpkg", "--install", "/qubs-mock.deb"], check=True,
                   stdout=subprocess.DEVNULL)
    command = ["/usr/bin/qubs-mock", "serve", "--port", "0", "--log", "off"]
    seconds = serves(lambda **more: enter(root, command, **more), since)
    audit = subprocess.run(["chroot", root, "dpkg", "--verify", "qubs-mock"], check=True,
                           stdout=subprocess.PIPE, text=True).stdout
    expect(not audit.strip(), f"dpkg finds other files than the package has: {audit}")
    subprocess.run(["chroot", root, "dpkg", "--purge", "qubs-mock"], check=True,
                   stdout=subprocess.DEVNULL)
    expect(not (root / "usr/bin/qubs-mock").exists(), "the program is left behind")
    print(f"check: installed in a Debian of debootstrap, served after {seconds:.2f} s, removed")


def image_by_umoci(path, root):
    """The image as umoci unpacks it, started as the user that it names, on a read-only root."""
    layout, bundle = root / "layout", root / "bundle"
    with tarfile.open(path) as file:
        file.extractall(layout, filter="data")
    version = re.fullmatch(r"qubs-mock-(.+)-oci\.tar", path.name).group(1)
    since = time.monotonic()
    subprocess.run(["umoci", "unpack", "--image", f"{layout}:{version}", bundle], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    process = json.loads((bundle / "config.json").read_bytes())["process"]
    expect(process["user"]["uid"] == 65532, f"the user is {process['user']}")
    environment = dict(pair.split("=", 1) for pair in process["env"])
    environment |= {"QUBS_MOCK_PORT": "0", "QUBS_MOCK_LOG": "off"}
    seconds = serves(
        lambda **more: enter(bundle / "rootfs", process["args"], user=65532, read_only=True,
                             environment=environment, **more), since)
    print(f"check: the image by umoci served after {seconds:.2f} s")


def image(path, root):
    """The image, unpacked by its digests, as user 65532 on a read-only root."""
    since = time.monotonic()
    with tarfile.open(path) as file:
        octets = {member.name: file.extractfile(member).read() for member in file
                  if member.isfile()}

    def blob(entry):
        algorithm, digest = entry["digest"].split(":")
        found = octets[f"blobs/{algorithm}/{digest}"]
        expect(sha256(found) == digest and len(found) == entry["size"], f"{digest} is wrong")
        return found

    expect(json.loads(octets["oci-layout"])["imageLayoutVersion"] == "1.0.0", "no layout")
    entry, = json.loads(octets["index.json"])["manifests"]
    manifest = json.loads(blob(entry))
    configuration = json.loads(blob(manifest["config"]))
    for layer, digest in zip(manifest["layers"], configuration["rootfs"]["diff_ids"]):
        plain = gzip.decompress(blob(layer))
        expect("sha256:" + sha256(plain) == digest, "a layer has another diff id")
        with tarfile.open(fileobj=io.BytesIO(plain)) as file:
            file.extractall(root, filter="fully_trusted")
    config = configuration["config"]
    expect(stat.S_IMODE((root / "tmp").stat().st_mode) == 0o1777, "/tmp has another mode")
    user = int(config["User"].split(":")[0])
    expect(user == 65532, f"the user is {user}")
    expect("8080/tcp" in config["ExposedPorts"], "the port is missing")
    environment = dict(pair.split("=", 1) for pair in config["Env"])
    expect(environment["QUBS_MOCK_HOST"] == "0.0.0.0", "it does not listen on all addresses")
    environment |= {"QUBS_MOCK_PORT": "0", "QUBS_MOCK_LOG": "off"}
    return serves(
        lambda **more: enter(root, config["Entrypoint"], user=user, read_only=True,
                             environment=environment, **more),
        since,
    )


def wheel(path, root):
    """The wheel in a fresh environment, and what is left of it afterwards."""
    subprocess.run([sys.executable, "-m", "venv", root / "venv"], check=True)
    programs = root / "venv/bin"
    since = time.monotonic()
    quiet = ["--quiet", "--disable-pip-version-check"]
    pip = lambda *words: subprocess.run(  # noqa: E731
        [programs / "pip", *words, *quiet], check=True)
    pip("install", "--no-index", path)
    command = [programs / "qubs-mock", "serve", "--port", "0", "--log", "off"]
    seconds = serves(lambda **more: subprocess.Popen(command, env={}, **more), since)
    subprocess.run([programs / "python", "-c", "import qubs_mock; print(qubs_mock.program())"],
                   check=True, stdout=subprocess.DEVNULL, env={})
    plugin(programs)
    pip("uninstall", "--yes", "qubs-mock")
    expect(not (programs / "qubs-mock").exists(), "the command is left behind")
    expect(not list((root / "venv").rglob("*qubs_mock*")), "files are left behind")
    return seconds


def plugin(programs):
    """The plugin's own tests, where PyPI can be reached."""
    tests = pathlib.Path(__file__).resolve().parent.parent / "python/tests"
    found = subprocess.run(
        [programs / "pip", "install", "--quiet", "--disable-pip-version-check", "pytest>=8",
         "pytest-xdist"], check=False, stderr=subprocess.DEVNULL)
    if found.returncode != 0:
        print("check: the plugin's tests are skipped: PyPI cannot be reached")
        return
    result = subprocess.run(
        [programs / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", tests],
        cwd=programs.parent, check=False, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    expect(result.returncode == 0, "the plugin's tests fail:\n" + result.stdout)
    print("check: the plugin:", result.stdout.strip().splitlines()[-1])


def lines_of(text, *keys):
    """The items of a list of scalars in a file of YAML, found by the keys that lead to it."""
    lines = text.splitlines()
    start = 0
    for key in keys:
        start = next(number for number, line in enumerate(lines)
                     if number >= start and line.strip() == key + ":") + 1
    found = []
    for line in lines[start:]:
        if not line.strip().startswith("- "):
            break
        found.append(line.strip()[2:])
    expect(found, f"there is no list at {keys}")
    return found


def pipelines(path, root):
    """What GitLab's judged job and Jenkins' stage run, in a folder with the wheel and a client."""
    examples = pathlib.Path(__file__).resolve().parent.parent / "examples"
    gitlab = (examples / "ci/gitlab-ci.yml").read_text()
    jenkins = re.search(r"sh '''\n(.*?)'''", (examples / "ci/Jenkinsfile").read_text(), re.DOTALL)
    judged = lines_of(gitlab, "judged", "before_script") + lines_of(gitlab, "judged", "script")
    scripts = {"gitlab": "\n".join(judged), "jenkins": jenkins.group(1)}
    for name, script in scripts.items():
        folder = root / name
        folder.mkdir()
        shutil.copy(path, folder)
        shutil.copy(examples / "good_client.py", folder / "client.py")
        # An image of Python has pip and python on PATH, and may install into both.
        subprocess.run([sys.executable, "-m", "venv", folder / "image"], check=True)
        said = subprocess.run(
            ["bash", "-e", "-c", script], cwd=folder, check=False, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600,
            env={"PATH": f"{folder}/image/bin:/usr/bin:/bin", "HOME": str(folder)})
        expect(said.returncode == 0, f"examples/ci: {name} ends with {said.returncode}:\n{said.stdout}")
        suites = xml.etree.ElementTree.parse(folder / "verdict.xml").getroot()
        cases = list(suites.iter("testcase"))
        expect(cases and not list(suites.iter("failure")), f"{name}: the report has a failure")
        print(f"check: examples/ci: {name}: exit status 0, {len(cases)} cases in verdict.xml")


def engine(path, root):
    """The image in a container engine: loaded under its name, a port published, asked for its health."""
    podman = ["podman", f"--root={root}/store", f"--runroot={root}/run", "--storage-driver=vfs"]
    run = lambda *words: subprocess.run(  # noqa: E731
        [*podman, *words], check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    version = re.fullmatch(r"qubs-mock-(.+)-oci\.tar", path.name).group(1)
    loaded = run("load", "--input", path)
    expect(loaded.returncode == 0, f"podman does not load the image: {loaded.stderr}")
    since = time.monotonic()
    started = run("run", "--detach", "--read-only", "--tmpfs=/tmp", "--publish=127.0.0.1::8080",
                  "--env=QUBS_MOCK_ADMIN_TOKEN=a-token-of-this-check", f"qubs-mock:{version}")
    if started.returncode != 0:
        # Within a container, say, where no other may be started.
        print("check: podman starts no container here:", started.stderr.strip().splitlines()[-1])
        return
    name = started.stdout.strip()
    try:
        address = run("port", name, "8080/tcp").stdout.strip()
        health = run("exec", name, "/usr/bin/qubs-mock", "health", "--wait", "30s")
        expect(health.returncode == 0, f"it is not healthy: {health.stdout}{health.stderr}")
        expect(get(f"http://{address}/__admin/ready")[0] == 200, "it is not ready")
        seconds = time.monotonic() - since
        form = b"grant_type=client_credentials&client_id=acme-partner&client_secret=acme-partner-secret"
        expect(get(f"http://{address}/oauth2/token", form)[0] == 200, "it gives no token")
        run("stop", "--time=20", name)
        status = run("inspect", "--format={{.State.ExitCode}}", name).stdout.strip()
        expect(status == "0", f"it ends with {status}")
    finally:
        run("rm", "--force", name)
    print(f"check: the image in podman, loaded as qubs-mock:{version}: healthy after {seconds:.2f} s")


def document(path):
    """What SPDX 2.3 asks of a document, and each relation names something in it."""
    value = json.loads(path.read_bytes())
    for name in ["spdxVersion", "dataLicense", "SPDXID", "name", "documentNamespace",
                 "creationInfo"]:
        expect(name in value, f"{name} is missing")
    ids = {package["SPDXID"] for package in value["packages"]} | {value["SPDXID"]}
    for relation in value["relationships"]:
        expect({relation["spdxElementId"], relation["relatedSpdxElement"]} <= ids, "a lost relation")
    return value["packages"][0]["checksums"][0]["checksumValue"]


def all(folder, names, program_octets):
    """Tries everything; ends the program with status 1 at the first that fails."""
    if os.geteuid() != 0:
        sys.exit("package: --check enters roots of its own: run it as root")
    tries = [(".tar.gz", archive), (".deb", debian), ("-oci.tar", image), (".whl", wheel)]
    try:
        sums(folder)
        expect(program_octets < 30_000_000, f"the program has {program_octets} octets")
        for ending, attempt in tries:
            path = next(folder / name for name in names if name.endswith(ending))
            with tempfile.TemporaryDirectory() as root:
                seconds = attempt(path.resolve(), pathlib.Path(root))
            print(f"check: {path.name}: {path.stat().st_size} octets, first 200 after "
                  f"{seconds:.2f} s from unpacking")
        for tool, ending, attempt in [("debootstrap", ".deb", debian_itself),
                                      ("umoci", "-oci.tar", image_by_umoci),
                                      ("podman", "-oci.tar", engine), ("bash", ".whl", pipelines)]:
            if not shutil.which(tool):
                print(f"check: skipped: there is no {tool}")
                continue
            path = next(folder / name for name in names if name.endswith(ending))
            with tempfile.TemporaryDirectory() as root:
                attempt(path.resolve(), pathlib.Path(root))
        digest = document(next(folder / name for name in names if name.endswith(".spdx.json")))
        print(f"check: the program: {program_octets} octets, {digest}")
    except Failed as failure:
        sys.exit(f"package: {failure}")
