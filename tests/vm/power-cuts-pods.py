#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""power-cuts-pods.py SOCKET IMAGE: tell what a power cut has left of pods, in the words of
power-cuts-init, then run, stop and remove pods for ever.

A pod is called by its name, and so are its only container and that one's log, which counts."""
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time

import grpc

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../ocid-dispatch")
import cri  # noqa: E402

SOCKET, IMAGE = sys.argv[1:]
ROOT, LOGS, LEASES = os.environ["OCID_ROOT"], "/disk/logs", "/disk/leases/cut"
FIRST = int(os.environ["first"])
WORKERS, KEPT = 3, 2  # pods that each worker leaves running
TIMEOUT_S, SETTLE_S = 300, 120
NOT_READY, EXITED = 1, 2
BACKOFF = [(f"grpc.{name}_reconnect_backoff_ms", 100) for name in ("initial", "min", "max")]
lock = threading.Lock()


def say(*words):
    with lock:
        print(*words, flush=True)


def call(client, name, **request):
    return client.call(name, request, timeout=TIMEOUT_S, wait_for_ready=True)


def succeeds(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        say(f"wrong {' '.join(command)} ends with {done.returncode}:", done.stdout.replace("\n", " | "))


def names(path):
    return os.listdir(path) if os.path.isdir(path) else []


def stage(path, *keys):
    """In a document of the dispatcher; what is wrong with it when it is none."""
    try:
        with open(path, encoding="utf-8") as file:
            value = json.load(file)
        for key in keys:
            value = value[key]
        return value
    except (OSError, ValueError, KeyError) as fault:
        return repr(fault)


# ---- what is left ----

def unfinished():
    """What the server has to finish when it starts."""
    for pod in names(f"{ROOT}/pods"):
        is_at = stage(f"{ROOT}/pods/{pod}/document.json", "pod", "stage")
        if is_at not in ("ready", "stopped"):
            yield f"pod {pod}: {is_at}"
        for name in names(f"{ROOT}/pods/{pod}/containers"):
            is_at = stage(f"{ROOT}/pods/{pod}/containers/{name}", "stage") if name.endswith(".json") else "made"
            if is_at != "made":
                yield f"container {name} of pod {pod}: {is_at}"
    for name in names(f"{ROOT}/podnames"):
        pod = os.readlink(f"{ROOT}/podnames/{name}")
        if not os.path.exists(f"{ROOT}/pods/{pod}"):
            yield f"the name of pod {pod}, which is gone"
    for address in names(LEASES):
        if address[0].isdigit():
            with open(f"{LEASES}/{address}", encoding="utf-8") as file:
                pod = file.read().split()[:1]
            if not pod or not os.path.exists(f"{ROOT}/pods/{pod[0]}"):
                yield f"the lease of {address} by {pod}"


def is_whole(log):
    """Whether a log counts from 1; what a power cut took is at its end."""
    try:
        with open(log, encoding="utf-8") as file:
            lines = file.read().split("\n")[:-1]
    except OSError:
        return False
    return bool(lines) and [line.split(" ")[3] for line in lines] == [str(i + 1) for i in range(len(lines))]


def tell_pods(client):
    """Returns them, as pairs of name and id."""
    pods = [(pod.metadata.name, pod.id, pod.state) for pod in call(client, "ListPodSandbox").items]
    for name, pod, state in pods:
        say("found pod", name)
        status = call(client, "PodSandboxStatus", podSandboxId=pod).status
        if (state, status.state) != (NOT_READY, NOT_READY):
            say(f"wrong pod {name} is {state}, {status.state}")
    return [(name, pod) for name, pod, _ in pods]


def tell_containers(client):
    containers = call(client, "ListContainers").containers
    for container in containers:
        name = container.metadata.name
        say("found container", name)
        status = call(client, "ContainerStatus", containerId=container.id).status
        if (container.state, status.state) != (EXITED, EXITED):
            say(f"wrong container {name} is {container.state}, {status.state}")
        document = stage(f"{ROOT}/containers/{container.id}/document.json", "rootfs", "path")
        if not document.startswith("/"):
            say(f"wrong the document of container {name}: {document}")
        if is_whole(status.log_path):
            say("found log", name)
    succeeds("ctr-store", "gc")
    for container in set(names(f"{ROOT}/containers")) - {container.id for container in containers}:
        say(f"wrong container {container} is nobody's")
    for name in names(f"{ROOT}/tmp"):
        say(f"wrong what is unfinished is left: {name}")


def tell():
    client, end = cri.Client(SOCKET, BACKOFF), time.monotonic() + SETTLE_S
    call(client, "Version")
    while list(unfinished()) and time.monotonic() < end:
        time.sleep(0.2)
    for what in unfinished():
        say("wrong", what)
    pods = tell_pods(client)
    tell_containers(client)
    succeeds("ctr-store", "check", "--deep")
    if FIRST // 1000 % 2 == 0:
        succeeds("ctr-net", "gc")
        for name in names(LEASES):
            if name[0].isdigit():
                say(f"wrong {name} is leased after gc")
    say("told")
    return pods


# ---- what is done ----

def run(client, name):
    """Returns the pod's id."""
    config = {"metadata": {"name": name, "uid": name, "namespace": "cut"},
              "logDirectory": f"{LOGS}/{name}", "linux": {"cgroupParent": "/cut"}}
    say("making pod", name)
    pod = call(client, "RunPodSandbox", config=config).pod_sandbox_id
    say("have pod", name)
    say("making container", name)
    container = call(client, "CreateContainer", podSandboxId=pod, sandboxConfig=config, config={
        "metadata": {"name": name}, "image": {"image": IMAGE}, "logPath": "c.log",
        "command": ["sh", "-c", "i=0; while i=$((i + 1)); do echo $i; sleep 1; done"]}).container_id
    say("have container", name)
    say("making log", name)
    call(client, "StartContainer", containerId=container)
    log, end = f"{LOGS}/{name}/c.log", time.monotonic() + TIMEOUT_S
    while not is_whole(log) and time.monotonic() < end:
        time.sleep(0.1)
    with open(log, encoding="utf-8") as file:
        os.fsync(file.fileno())
    say("have log", name)
    if random.random() < 0.2:
        succeeds("ctr-net", "check", "--id", pod)
    return pod


def remove(client, name, pod):
    if random.random() < 0.5:
        call(client, "StopPodSandbox", podSandboxId=pod)
    say("removing pod", name)
    call(client, "RemovePodSandbox", podSandboxId=pod)
    say("removed pod", name)
    shutil.rmtree(f"{LOGS}/{name}", ignore_errors=True)


def work(number, old, again):
    """Remove old pods, (NAME, ID), and run those whose names shall be tried again, then new ones."""
    client, mine = cri.Client(SOCKET, BACKOFF), []
    try:
        for i in itertools.count():
            if old:
                remove(client, *old.pop())
            name = again.pop() if again else f"p{FIRST + 100 * number + i}"
            mine.append((name, run(client, name)))
            if len(mine) > KEPT:
                remove(client, *mine.pop(random.randrange(len(mine))))
    except grpc.RpcError as error:
        say(f"wrong worker {number}: {error.code().name}: {error.details()}")


def main():
    old = tell()
    here = {name for name, _ in old}
    with open("/proc/cmdline", encoding="utf-8") as file:
        words = dict(word.split("=", 1) for word in file.read().split() if "=" in word)
    again = [name for name in words.get("again", "").split(",") if name and name not in here]
    threads = [threading.Thread(target=work, args=(n, old[n::WORKERS], again[n::WORKERS]))
               for n in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    time.sleep(3600)  # this is the machine's first process


main()
