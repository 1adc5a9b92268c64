#!/usr/bin/env python3
# What real clients make of a pair: serves it (as it is, like a plain server would) on a free loopback
# port and asks curl, openssl s_client, Python's own ssl and, where it is installed, Java. Usage:
#   clients.py < cases.json
# where cases is a list of {"name", "cert", "key", "roots", "host"}; writes {"name": {"openssl": true,
# ..}} with true: accepts, false: refuses, and "says": {"curl": ".."}; {"load": false} where the
# library refuses to load the pair.
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading


def serve(listener, context):
    while True:
        try:
            raw, _ = listener.accept()
        except OSError:
            return
        raw.settimeout(10)
        try:
            with context.wrap_socket(raw, server_side=True) as tls:
                tls.recv(4096)
                tls.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n")
        except (OSError, ssl.SSLError):
            raw.close()


def ask_python(port, case, strict=False):
    context = ssl.create_default_context(cafile=case["roots"])
    # What Python 3.13 made the default and 3.12 did not have: both are asked, whichever this one is.
    flags = ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags = context.verify_flags | flags if strict else context.verify_flags & ~flags
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
            with context.wrap_socket(raw, server_hostname=case["host"]):
                return True, ""
    except (OSError, ssl.SSLError) as e:
        return False, str(e)


def ask_python_strict(port, case):
    return ask_python(port, case, strict=True)


def ask_curl(port, case):
    host = case["host"]
    pinned = [] if re.fullmatch(r"[0-9.]+", host) else ["--resolve", f"{host}:{port}:127.0.0.1"]
    run = subprocess.run(["curl", "-sS", "--noproxy", "*", "--max-time", "10", "--capath", "/nonexistent", "--cacert",
                          case["roots"], *pinned, f"https://{host}:{port}/"],
                         capture_output=True, text=True, timeout=20)
    return run.returncode == 0, run.stderr.strip()


def ask_openssl(port, case):
    host = case["host"]
    by = ["-verify_ip", host] if re.fullmatch(r"[0-9.]+", host) else ["-verify_hostname", host, "-servername", host]
    run = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", case["roots"],
                          "-no-CApath", "-no-CAstore", "-verify_return_error", *by],
                         input="", capture_output=True, text=True, timeout=20)
    words = re.findall(r"verify error:.*", run.stderr + run.stdout) or re.findall(r"error:.*", run.stderr)
    return run.returncode == 0, words[0] if words and run.returncode else ""


class Java:
    """One JavaClient for all cases: starting it takes longer than they do."""

    def __init__(self):
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "JavaClient.java")
        self.process = None
        if shutil.which("java") and shutil.which("javac"):
            self.process = subprocess.Popen(["java", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=subprocess.DEVNULL, text=True)

    def ask(self, port, case):
        self.process.stdin.write(f"{port} {case['host']} {case['roots']}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if not answer:
            raise RuntimeError("JavaClient ended")
        return answer == "ok", answer[3:]

    def end(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait(timeout=10)


def look(case, java):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    try:
        context.load_cert_chain(case["cert"], case["key"], password=lambda: "")
    except (ssl.SSLError, OSError, ValueError) as e:
        return {"load": False, "says": {"python": str(e)}}
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    threading.Thread(target=serve, args=(listener, context), daemon=True).start()
    result = {"load": True, "says": {}}
    clients = [("python", ask_python), ("python-strict", ask_python_strict), ("curl", ask_curl), ("openssl", ask_openssl)]
    if java.process:
        clients.append(("java", java.ask))
    for name, ask in clients:
        result[name], words = ask(port, case)
        if words:
            result["says"][name] = words
    listener.close()
    return result


def main():
    cases = json.load(sys.stdin)
    java = Java()
    json.dump({case["name"]: look(case, java) for case in cases}, sys.stdout, indent=1)
    java.end()


if __name__ == "__main__":
    main()
