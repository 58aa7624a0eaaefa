#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Kills a server again and again while clients use it, and prints what is not as it was promised.

kills.py SOCKET CONFIG IMAGE REMOTE DIRECTORY CGROUP PIDFILE

IMAGE is what containers are made of, REMOTE one that is pulled and removed meanwhile. The last
server stays; its pid is in PIDFILE."""
import os
import random
import signal
import subprocess
import sys
import threading
import time

import grpc

import cri

KILLS = 12
WORKERS = 3
CALLS = 3  # that are done between two kills
KEPT = 6  # containers that nobody stops
BACKOFF = [(f"grpc.{name}_reconnect_backoff_ms", ms)
           for name, ms in (("initial", 20), ("min", 20), ("max", 100))]
# what a kill may make of a call; and of one that repeats what has happened without our knowing
MAY_BE = {"UNAVAILABLE", "CANCELLED", "DEADLINE_EXCEEDED", "ALREADY_EXISTS", "FAILED_PRECONDITION",
          "NOT_FOUND"}


class Load:
    def __init__(self, socket, image, remote, directory, cgroup):
        self.socket, self.image, self.remote = socket, image, remote
        self.directory, self.cgroup = directory, cgroup
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.pods, self.running, self.removed = set(), {}, set()  # as the server has said
        self.codes, self.done = {}, 0

    def call(self, client, name, request):
        """The answer; None when it failed as it may."""
        try:
            answer = client.call(name, request, timeout=60, wait_for_ready=True)
            with self.lock:
                self.done += 1
            return answer
        except grpc.RpcError as error:
            code = error.code().name
            with self.lock:
                self.codes[f"{name} {code}"] = self.codes.get(f"{name} {code}", 0) + 1
            if code not in MAY_BE:
                print(f"{name}: {code}: {error.details()}", flush=True)
            return None

    def surely(self, client, name, request):
        """Until it succeeds, as kubelets do."""
        for _ in range(50):
            if self.call(client, name, request) is not None:
                return
        print(f"{name} {request}: never", flush=True)

    def live(self, client, name, keep):
        config = {"metadata": {"name": name, "uid": name, "namespace": "kills"},
                  "logDirectory": f"{self.directory}/{name}", "linux": {
                      "cgroupParent": self.cgroup,
                      "securityContext": {"namespaceOptions": {"pid": "CONTAINER"}}}}
        pod = self.call(client, "RunPodSandbox", {"config": config})
        if not pod:
            return
        pod = pod.pod_sandbox_id
        with self.lock:
            self.pods.add(pod)
        container = self.call(client, "CreateContainer", {
            "podSandboxId": pod, "sandboxConfig": config,
            "config": {"metadata": {"name": "c"}, "image": {"image": self.image},
                       "logPath": "c.log", "command": ["sleep", "1000"]}})
        if container and self.call(client, "StartContainer",
                                   {"containerId": container.container_id}):
            with self.lock:
                self.running[container.container_id] = pod
        if keep:
            return
        with self.lock:
            self.pods.discard(pod)
            self.running = {c: p for c, p in self.running.items() if p != pod}
        if container and random.random() < 0.5:
            self.surely(client, "RemoveContainer", {"containerId": container.container_id})
        self.surely(client, "RemovePodSandbox", {"podSandboxId": pod})
        with self.lock:
            self.removed.add(pod)

    def work(self, number):
        client, i = cri.Client(self.socket, BACKOFF), 0
        while not self.stop.is_set():
            self.live(client, f"w{number}-{i}", len(self.running) < KEPT and i % 2 == 0)
            i += 1

    def pull(self):
        client = cri.Client(self.socket, BACKOFF)
        image = {"image": {"image": self.remote}}
        while not self.stop.is_set():
            self.call(client, "PullImage", image)
            self.call(client, "RemoveImage", image)
        self.surely(client, "PullImage", image)

    def wait(self, condition):
        """At most some seconds: what a slow machine does not get done is no failure."""
        end = time.monotonic() + 10
        while time.monotonic() < end and not condition():
            time.sleep(0.01)

    def check(self):
        """What has been promised, against what the server says now."""
        client = cri.Client(self.socket, BACKOFF)
        pods = {p.id: p.state for p in client.call("ListPodSandbox", timeout=60).items}
        containers = {c.id: c.state for c in client.call("ListContainers", timeout=60).containers}
        for pod in self.pods:
            if pods.get(pod) != 0:
                print(f"pod {pod} is {pods.get(pod)}, not ready")
        for pod in self.removed & pods.keys():
            print(f"pod {pod} was removed")
        for container in self.running:
            if containers.get(container) != 1:
                print(f"container {container} is {containers.get(container)}, not running")
        if not self.running or self.done < KILLS:
            print("nothing was tested")
        print(f"{self.done} calls, {len(self.running)} run; {self.codes}", file=sys.stderr)


def serve(socket, config, log):
    return subprocess.Popen(["ocid-dispatch", "serve", "--listen", socket, "--config", config],
                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def main():
    socket, config, image, remote, directory, cgroup, pid_file = sys.argv[1:]
    load = Load(socket, image, remote, directory, cgroup)
    threads = [threading.Thread(target=load.work, args=(n,)) for n in range(WORKERS)]
    threads.append(threading.Thread(target=load.pull))
    with open(f"{directory}.server", "a", encoding="utf-8") as log:
        server = serve(socket, config, log)
        for thread in threads:
            thread.start()
        load.wait(lambda: load.running)
        for _ in range(KILLS):
            before = load.done
            load.wait(lambda: load.done > before + CALLS)
            time.sleep(random.uniform(0, 0.2))
            server.send_signal(signal.SIGKILL)
            server.wait()
            server = serve(socket, config, log)
        load.stop.set()
        for thread in threads:
            thread.join()
    with open(pid_file, "w", encoding="utf-8") as file:
        file.write(f"{server.pid}\n")
    load.check()
    os._exit(0)  # the channels' threads are of no interest


main()
