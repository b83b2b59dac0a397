#!/usr/bin/env python3
"""Records what a real engine answers, for the tests of the fake one.

Usage: fake_engine_record.py SOCKET FILE.talk...

A talk is a list of calls; this program runs them on the engine behind SOCKET, which must be a private one without
images, containers, volumes and networks of its own, and rewrites the replies below them. Lines:
  > METHOD TARGET    the call ("> sleep SECONDS" waits, "> since" sets what {since} stands for,
                     {last} is the Id of the last reply that had one)
  | JSON             its body
  + NAME CONTENT     an entry of a tar that is the body
  ? MEMBER...        only these members of the reply are told ("State", "NetworkSettings.Networks")
  < STATUS BODY      the reply, normalised
The image fe:1 is made anew before each talk: one static program, /init, that writes a line to each output and runs until
SIGTERM (then it exits with 0), or with "exit N" writes a line and exits with N.
"""
import http.client
import io
import json
import re
import socket
import subprocess
import sys
import tarfile
import tempfile
import time

PROGRAM = r"""
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static void end(int s) { (void)s; _exit(0); }
int main(int c, char **v) {
  signal(SIGTERM, end);
  if (c > 2 && !strcmp(v[1], "exit")) { puts("bye"); return atoi(v[2]); }
  if (c > 1 && !strcmp(v[1], "check")) return 0;
  puts("out line");
  fflush(stdout);
  usleep(100000);
  fputs("err line\n", stderr);
  for (;;) pause();
}
"""
CHANGES = ['CMD ["/init"]', "EXPOSE 80", "ENV A=1", "LABEL x=y"]


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(self.path)


def call(path, method, target, body=None, kind="application/json"):
    connection = Connection(path)
    connection.request(method, target, body, {"Content-Type": kind} if body is not None else {})
    reply = connection.getresponse()
    return reply.status, dict(reply.getheaders()), reply.read()


def tar_of(entries):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in entries:
            item = tarfile.TarInfo(name)
            item.size = len(content.encode())
            tar.addfile(item, io.BytesIO(content.encode()))
    return out.getvalue()


def make_image(path):
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/init.c", "w") as file:
            file.write(PROGRAM)
        subprocess.run(["clang-19", "-static", "-O1", "-o", "init", "init.c"], cwd=folder, check=True)
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as tar:
            tar.add(folder + "/init", "init")
            item = tarfile.TarInfo("etc/motd")
            item.size = 3
            tar.addfile(item, io.BytesIO(b"hi\n"))
    query = "&".join("changes=" + "".join("%%%02X" % b for b in change.encode()) for change in CHANGES)
    call(path, "POST", "/images/create?fromSrc=-&repo=fe&tag=1&" + query, out.getvalue(), "application/x-tar")


def clean(path):
    for item in json.loads(call(path, "GET", "/containers/json?all=1")[2]):
        call(path, "DELETE", "/containers/%s?force=1&v=1" % item["Id"])
    for kind in ("networks", "volumes"):
        call(path, "POST", "/%s/prune" % kind)
    for item in json.loads(call(path, "GET", "/volumes")[2])["Volumes"] or []:
        call(path, "DELETE", "/volumes/" + item["Name"])
    for item in json.loads(call(path, "GET", "/images/json?all=1")[2]):
        call(path, "DELETE", "/images/%s?force=1" % item["Id"])


PLAIN = {"Pid", "SandboxID", "SandboxKey", "EndpointID", "ResolvConfPath", "HostnamePath", "HostsPath", "LogPath",
         "Mountpoint", "Created", "Size", "VirtualSize", "time", "timeNano", "LowerDir", "MergedDir", "UpperDir",
         "WorkDir", "DockerVersion", "Start", "End", "CreatedAt", "SizeRootFs"}


def normal_text(text):
    text = re.sub(r"\b[0-9a-f]{64}\b", "<id>", text)
    text = re.sub(r"\b(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{12}\b", "<short>", text)
    text = re.sub(r"\b(?!0001)\d{4}-\d\d-\d\dT[0-9:.]+(Z|[+-]\d\d:\d\d)", "<time>", text)
    text = re.sub(r"\b(Up|Exited \(\d+\)) [A-Za-z0-9 ]*?(second|minute)s?( ago)?", r"\1 <while>", text)
    text = re.sub(r"/[^ \"]*/volumes/", "<root>/volumes/", text)
    text = re.sub(r"\b172\.(1[89]|2\d|3[01])\.", "172.x.", text)
    text = re.sub(r"\b02:42:ac:1[2-9a-f]:", "02:42:ac:xx:", text)
    text = re.sub(r"\b\d{10}\.\d{9}\b", "<seconds>", text)
    return re.sub(r"\(pid \d+\)", "(pid <pid>)", text)


def normal(value, key=""):
    if isinstance(value, dict):
        return {normal_text(k): normal(value[k], k) for k in sorted(value)}
    if isinstance(value, list):
        return [normal(item) for item in value]
    if key in PLAIN and value not in (None, "", 0, -1):
        return "<%s>" % key
    return normal_text(value) if isinstance(value, str) else value


def member(value, path):
    for key in path.split("."):
        value = value[key] if isinstance(value, dict) and key in value else None
    return value


def normal_body(headers, body, members=None):
    if not body:
        return ""
    if headers.get("Content-Type", "").startswith("application/json"):
        lines = [json.loads(line) for line in body.decode().split("\n") if line.strip()]
        value = normal(lines[0]) if len(lines) == 1 else {"lines": [normal(line) for line in lines]}
        if isinstance(value, list):
            value.sort(key=lambda item: json.dumps(item, sort_keys=True))
        if members:
            value = {path: member(value, path) for path in members}
        return json.dumps(value, ensure_ascii=False)
    if headers.get("Content-Type") == "application/x-tar":
        with tarfile.open(fileobj=io.BytesIO(body)) as tar:
            return json.dumps({"entries": tar.getnames()})
    return json.dumps(normal_text(body.decode("latin-1")))


class Talk:
    def __init__(self, path, engine):
        with open(path) as file:
            self.lines = [line for line in file.read().split("\n") if not line.startswith("< ")]
        self.path, self.engine, self.since, self.last, self.out = path, engine, 0, "", []

    def answer(self, line, body, entries, members):
        method, target = line.split(" ", 1)
        target = target.replace("{last}", self.last).replace("{since}", "%.9f" % self.since).replace("{now}", "%.9f" % time.time())
        if entries:
            reply = call(self.engine, method, target, tar_of(entries), "application/x-tar")
        else:
            reply = call(self.engine, method, target, body)
        if found := re.match(rb'{"Id":"([0-9a-f]+)"', reply[2]):
            self.last = found[1].decode()
        return "< %d %s" % (reply[0], normal_body(reply[1], reply[2], members))

    def run(self):
        at = 0
        while at < len(self.lines):
            line = self.lines[at]
            self.out.append(line)
            at += 1
            if line == "> since":
                self.since = time.time()
            elif line.startswith("> sleep"):
                time.sleep(float(line.split()[2]))
            elif line.startswith("> "):
                body, entries, members = None, [], None
                while at < len(self.lines) and self.lines[at][:2] in ("| ", "+ ", "? "):
                    rest = self.lines[at][2:]
                    if self.lines[at][0] == "|":
                        body = rest
                    elif self.lines[at][0] == "?":
                        members = rest.split()
                    else:
                        name, _, content = rest.partition(" ")
                        entries.append((name, content.replace("\\n", "\n")))
                    self.out.append(self.lines[at])
                    at += 1
                self.out.append(self.answer(line[2:], body, entries, members).rstrip())
        with open(self.path, "w") as file:
            file.write("\n".join(self.out).rstrip("\n") + "\n")


def main():
    for path in sys.argv[2:]:
        clean(sys.argv[1])
        make_image(sys.argv[1])
        Talk(path, sys.argv[1]).run()
    clean(sys.argv[1])


main()
