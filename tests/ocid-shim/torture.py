#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Many containers at once, each through a life of its own: torture.py COUNT BUNDLE

Every one is attached to before it starts, then, at random, has commands run in it, its log reopened
or rotated, is paused, or attached to by more; it ends by itself, by stop or by KILL. In the end its
exit code must be right for all who waited, and its log must hold exactly the lines that were
attached to, in order and without a gap. OCID_TORTURE_SEED repeats a run.
"""
import concurrent.futures
import json
import os
import random
import subprocess
import sys
import tempfile
import time

AT_ONCE = 8
# "word" lines until the number is reached, or for ever
LINES = """i=0; trap 'echo stopped; exit {code}' TERM
while [ $i -ne {count} ]; do i=$((i + 1)); echo "line $i of many, as long as it needs to be"; {pause}; done
exit {code}"""


def shim(*words, code=0, **options):
    done = subprocess.run(["ocid-shim", *words], stdin=subprocess.DEVNULL, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, **options)
    allowed = code if isinstance(code, tuple) else (code,)
    if done.returncode not in allowed:
        raise AssertionError(f"{words}: {done.returncode}, not {code}: {done.stderr.decode()}")
    return done


class Life:
    def __init__(self, number, template, directory, seed):
        self.random = random.Random(f"{seed}/{number}")
        self.name = f"t{number}"
        self.ending = self.random.choice(["itself", "stop", "kill"])
        self.code = self.random.randrange(0, 120)
        self.rotates = self.random.random() < 0.4
        self.bundle = os.path.join(directory, self.name)
        self.count = self.random.choice([10, 3000, 20000]) if self.ending == "itself" else -1
        pause = "sleep 0.01" if self.ending != "itself" else ":"
        config = json.loads(json.dumps(template))
        config["process"]["args"][2] = LINES.format(code=self.code, count=self.count, pause=pause)
        config["linux"]["cgroupsPath"] += f"-{self.name}"
        os.mkdir(self.bundle)
        with open(f"{self.bundle}/config.json", "w", encoding="utf-8") as file:
            json.dump(config, file)

    def attach(self):
        out = tempfile.TemporaryFile()
        process = subprocess.Popen(["ocid-shim", "attach", self.name], stdin=subprocess.DEVNULL,
                                   stdout=out, stderr=subprocess.DEVNULL)
        return process, out

    def attached(self):
        monitor = open(f"{self.directory()}/shim.pid", encoding="utf-8").read().strip()
        sockets = -1  # that for messages
        for fd in os.listdir(f"/proc/{monitor}/fd"):
            try:
                sockets += os.readlink(f"/proc/{monitor}/fd/{fd}").startswith("socket:")
            except FileNotFoundError:
                pass
        return sockets

    def directory(self):
        return f"{os.environ['OCID_RUNROOT']}/containers/{self.name}"

    def disturb(self):
        """One thing that may happen to it; it may have ended by itself before that."""
        gone = self.ending == "itself"
        action = self.random.choice(["exec", "exec", "reopen", "pause", "attach", "stats"])
        if action == "exec":
            code = self.random.randrange(0, 120)
            done = shim("exec", self.name, "sh", "-c", f"echo {code}; exit {code}",
                        code=(code, 125, 137) if gone else code)
            assert done.returncode != code or done.stdout == b"%d\n" % code or gone, done
        elif action == "reopen" and not self.rotates:
            # the file may be anybody's by now, the records stay
            shim("reopen-logs", self.name, code=(0, 1, 3) if gone else 0)
        elif action == "pause":
            # runc gives up on what forks all the time, as these do
            if shim("pause", self.name, code=(0, 1, 3, 5) if gone else (0, 1)).returncode == 0:
                shim("resume", self.name, code=(0, 1, 3, 5) if gone else 0)
        elif action == "attach":
            process, out = self.attach()
            self.more.append((process, out))
        elif action == "stats":
            shim("stats", self.name, code=(0, 3) if gone else 0)

    def expected(self):
        return {"itself": self.code, "stop": self.code, "kill": 137}[self.ending]

    def end(self):
        if self.ending == "stop":
            # a first process without a handler would not even be told of TERM
            while not shim("logs", self.name).stdout:
                time.sleep(0.01)
            shim("stop", "--timeout", "60", self.name)
        elif self.ending == "kill":
            shim("kill", self.name, "KILL")

    def check(self, first):
        process, out = first
        waited = json.loads(shim("wait", self.name).stdout)
        assert waited["code"] == self.expected(), (waited, self.expected(), self.ending)
        assert process.wait(timeout=60) == self.expected(), ("attach", self.name)
        out.seek(0)
        seen = out.read()
        log = shim("logs", self.name).stdout
        assert log == seen, f"{self.name}: the log has {len(log)} bytes, attached were {len(seen)}"
        lines = seen.decode().splitlines()
        if self.ending == "stop":
            assert lines.pop() == "stopped"
        numbers = [int(line.split()[1]) for line in lines]
        assert numbers == list(range(1, len(numbers) + 1)), f"{self.name}: a gap"
        assert self.count < 0 or len(numbers) == self.count, (self.name, len(numbers))
        for process, out in self.more:
            # one that came too late was told so
            assert process.wait(timeout=60) in (self.expected(), 1, 3), ("attach", self.name)
            out.seek(0)
            assert seen.endswith(out.read()), f"{self.name}: somebody else's output"

    def live(self):
        self.more = []
        options = ["--log-size-max", "50000", "--log-max-files", "1000"] if self.rotates else []
        shim("create", "--bundle", self.bundle, *options, self.name)
        while self.attached() > 0:
            pass  # the socket by which it was made
        first = self.attach()
        while self.attached() < 1:
            assert first[0].poll() is None, "attach has ended"
        waiter = subprocess.Popen(["ocid-shim", "wait", self.name], stdout=subprocess.PIPE)
        shim("start", self.name)
        for _ in range(self.random.randrange(0, 4)):
            self.disturb()
        self.end()
        self.check(first)
        assert json.loads(waiter.communicate(timeout=60)[0])["code"] == self.expected()
        shim("rm", self.name)
        return self.ending


def main():
    count, bundle = int(sys.argv[1]), sys.argv[2]
    seed = os.environ.get("OCID_TORTURE_SEED") or str(random.randrange(1 << 32))
    print(f"# OCID_TORTURE_SEED={seed}", flush=True)
    with open(f"{bundle}/config.json", encoding="utf-8") as file:
        template = json.load(file)
    endings = []
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        lives = [pool.submit(Life(n, template, bundle, seed).live) for n in range(count)]
        for life in lives:
            endings.append(life.result())
    print({ending: endings.count(ending) for ending in set(endings)})


main()
