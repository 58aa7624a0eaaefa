#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A client of the CRI, over Debian's gRPC (C-core), for the tests.

cri.py SOCKET METHOD [JSON] [OPTION=VALUE…]   one call; the response as JSON on stdout, or
                                              "CODE: details" on stderr and status 1
cri.py SOCKET SCENARIO                        a function of this file, see below

$CRI_PB2 is the directory of cri_pb2.py. Options: timeout (seconds), version (v1alpha2)."""
import concurrent.futures
import json
import os
import sys
import threading
import time

sys.path.insert(0, os.environ["CRI_PB2"])
import cri_pb2  # noqa: E402
import grpc  # noqa: E402
from google.protobuf import json_format  # noqa: E402

LIMIT = [("grpc.max_receive_message_length", 64 << 20), ("grpc.max_send_message_length", 64 << 20)]


def methods():
    for service in cri_pb2.DESCRIPTOR.services_by_name.values():
        for method in service.methods:
            yield method


def find(name):
    return next(m for m in methods() if m.name == name)


class Client:
    def __init__(self, socket, options=()):
        # a subchannel of its own: else all channels of the process share one connection
        self.channel = grpc.insecure_channel(
            f"unix:{socket}", LIMIT + [("grpc.use_local_subchannel_pool", 1)] + list(options))

    def stub(self, name, version="v1"):
        method = find(name)
        response = getattr(cri_pb2, method.output_type.name)
        service = method.containing_service.full_name.replace("runtime.v1.", f"runtime.{version}.")
        return self.channel.unary_unary(f"/{service}/{name}",
                                        request_serializer=lambda m: m.SerializeToString(),
                                        response_deserializer=response.FromString)

    def call(self, name, request=None, version="v1", **options):
        message = getattr(cri_pb2, find(name).input_type.name)()
        json_format.ParseDict(request or {}, message)
        return self.stub(name, version)(message, **options)

    def raw(self, path, data, timeout=20):
        return self.channel.unary_unary(path)(data, timeout=timeout)

    def code(self, *args, **options):
        try:
            self.call(*args, **options)
        except grpc.RpcError as error:
            print(f"{args[0]}: {error.code().name}: {error.details()}", file=sys.stderr)
            return error.code().name
        return "OK"


def raw_code(client, path, data):
    try:
        client.raw(path, data)
    except grpc.RpcError as error:
        return error.code().name
    return "OK"


def single(socket, name, request="{}", *options):
    settings = dict(option.split("=", 1) for option in options)
    timeout = float(settings.get("timeout", 30))
    try:
        response = Client(socket).call(name, json.loads(request), settings.get("version", "v1"),
                                       timeout=timeout)
    except grpc.RpcError as error:
        sys.exit(f"{error.code().name}: {error.details()}")
    print(json.dumps(json_format.MessageToDict(response), sort_keys=True))


def several(socket):
    """A call for each line "METHOD JSON" of stdin: prints its response, or "CODE: details"."""
    client = Client(socket)
    for line in sys.stdin:
        name, _, request = line.strip().partition(" ")
        try:
            answer = client.call(name, json.loads(request or "{}"), timeout=30)
            print(json.dumps(json_format.MessageToDict(answer), sort_keys=True))
        except grpc.RpcError as error:
            print(f"{error.code().name}: {error.details()}")


def parallel(socket):
    """100 calls at once on one connection, 100 more on ten."""
    clients = [Client(socket)] + [Client(socket) for _ in range(10)]
    with concurrent.futures.ThreadPoolExecutor(200) as pool:
        calls = [pool.submit(clients[0].call, "Version", timeout=60) for _ in range(100)]
        calls += [pool.submit(clients[1 + i % 10].call, "Version", timeout=60) for i in range(100)]
        answers = [call.result().runtime_name for call in calls]
    print(answers.count("ocid"))


def big(socket):
    """A request and a response of nearly 16 MB, then a request that is beyond that."""
    client = Client(socket)
    def request(size):
        return {"filter": {"image": {"annotations": {"x": "x" * size}}}}

    answer = client.call("ListImages", request(15 << 20), timeout=60)
    print(len(answer.images[0].repo_tags[0]) == 15 << 20)
    print(client.code("ListImages", request(17 << 20), timeout=60))
    print(client.code("Version", timeout=10))


def pods(socket, image, directory, cgroup):
    """Every RPC about pods and containers, on two pods at once; prints what is remarkable."""
    client = Client(socket)
    stop = threading.Event()
    events = []

    def listen():
        request = cri_pb2.GetEventsRequest()
        call = client.channel.unary_stream(
            "/runtime.v1.RuntimeService/GetContainerEvents",
            request_serializer=lambda m: m.SerializeToString(),
            response_deserializer=cri_pb2.ContainerEventResponse.FromString)(request)
        threading.Thread(target=lambda: (stop.wait(), call.cancel()), daemon=True).start()
        try:
            for event in call:
                events.append((event.container_id, event.container_event_type))
        except grpc.RpcError as error:
            events.append(error.code().name)

    def stream(name):
        method = find(name)
        call = client.channel.unary_stream(
            f"/{method.containing_service.full_name}/{name}",
            request_serializer=lambda m: m.SerializeToString(),
            response_deserializer=getattr(cri_pb2, method.output_type.name).FromString)
        return list(call(getattr(cri_pb2, method.input_type.name)(), timeout=30))

    def life(name):
        config = {"metadata": {"name": name, "uid": name, "namespace": "served"},
                  "logDirectory": f"{directory}/{name}", "linux": {"cgroupParent": cgroup}}
        pod = client.call("RunPodSandbox", {"config": config}, timeout=60).pod_sandbox_id
        of_pod = {"podSandboxId": pod}
        container = client.call("CreateContainer", {
            "podSandboxId": pod, "sandboxConfig": config,
            "config": {"metadata": {"name": "c"}, "image": {"image": image}, "logPath": "c.log",
                       "command": ["sleep", "100"]}}, timeout=60).container_id
        of_container = {"containerId": container}
        client.call("StartContainer", of_container, timeout=60)
        assert client.call("ContainerStatus", of_container).status.state == 1
        assert client.call("PodSandboxStatus", of_pod).status.network.ip
        output = client.call("ExecSync", {**of_container, "cmd": ["echo", name]}, timeout=60)
        assert output.stdout == name.encode() + b"\n", output
        assert client.code("ExecSync", {**of_container, "cmd": ["sleep", "50"], "timeout": 1},
                           timeout=60) == "DEADLINE_EXCEEDED"
        client.call("UpdateContainerResources", {**of_container, "linux": {"cpuShares": 100}})
        client.call("ReopenContainerLog", of_container)
        assert client.call("ContainerStats", of_container).stats.cpu.timestamp
        assert client.call("PodSandboxStats", of_pod).stats.linux.network.timestamp
        client.call("UpdatePodSandboxResources", of_pod)
        return of_pod, of_container

    def death(of_pod, of_container):
        client.call("StopContainer", {**of_container, "timeout": 0}, timeout=60)
        client.call("RemoveContainer", of_container, timeout=60)
        assert client.code("ContainerStatus", of_container) == "NOT_FOUND"
        client.call("StopPodSandbox", of_pod, timeout=60)
        client.call("RemovePodSandbox", of_pod, timeout=60)
        assert client.code("PodSandboxStatus", of_pod) == "NOT_FOUND"

    listener = threading.Thread(target=listen)
    listener.start()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        lives = list(pool.map(life, ["a", "b"]))
        for name, key in (("ListPodSandbox", "items"), ("ListContainers", "containers"),
                          ("ListContainerStats", "stats"), ("ListPodSandboxStats", "stats"),
                          ("ListPodSandboxMetrics", "pod_metrics")):
            print(name, len(getattr(client.call(name), key)))
        for name in ("StreamPodSandboxes", "StreamContainers", "StreamContainerStats",
                     "StreamPodSandboxStats", "StreamPodSandboxMetrics", "StreamImages"):
            print(name, sum(len(field[1]) for message in stream(name)
                            for field in message.ListFields()))
        client.call("ImageFsInfo")
        client.call("ListMetricDescriptors")
        client.call("RuntimeConfig")
        client.call("UpdateRuntimeConfig")
        print(client.code("CheckpointContainer", lives[0][1]))
        list(pool.map(lambda ids: death(*ids), lives))
    time.sleep(0.5)
    stop.set()
    listener.join()
    for of_pod, of_container in lives:
        print([kind for who, kind in events[:-1] if who == of_pod["podSandboxId"]],
              [kind for who, kind in events[:-1] if who == of_container["containerId"]])
    print(events[-1])


def hasty(socket, directory):
    """Pods that take longer than the client waits: after 20 ms to 200 ms it goes away."""
    client = Client(socket)
    codes = set()
    for i in range(10):
        config = {"metadata": {"name": f"h{i}", "uid": "h", "namespace": "served"},
                  "logDirectory": directory}
        codes.add(client.code("RunPodSandbox", {"config": config}, timeout=0.02 * (i % 5 + 1)))
    print(codes <= {"OK", "DEADLINE_EXCEEDED"})


def race(socket, image, directory, cgroup):
    """Calls at once on the same object; prints what each kind of them was answered."""
    client = Client(socket)
    config = {"metadata": {"name": "race", "uid": "r", "namespace": "race"},
              "logDirectory": directory, "linux": {"cgroupParent": cgroup}}
    pod = {"podSandboxId": client.call("RunPodSandbox", {"config": config}).pod_sandbox_id}
    creation = {**pod, "sandboxConfig": config, "config": {
        "metadata": {"name": "c"}, "image": {"image": image}, "command": ["sleep", "100"]}}

    def at_once(calls):
        answers = {}
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            codes = [(name, pool.submit(client.code, name, request, timeout=60))
                     for name, request in calls]
        for name, code in codes:
            answers.setdefault(name, []).append(code.result())
        return {name: sorted(codes) for name, codes in answers.items()}

    for _ in range(3):
        print(at_once([("CreateContainer", creation)] * 3))
        container = {"containerId": client.call("ListContainers").containers[0].id}
        print(at_once([("StartContainer", container)] * 3))
        answers = at_once([("StopContainer", container), ("ContainerStatus", container),
                           ("RemoveContainer", container)] * 3)
        print({name: codes for name, codes in answers.items() if name != "ContainerStatus"},
              set(answers["ContainerStatus"]) <= {"OK", "NOT_FOUND"})
    answers = at_once([("StopPodSandbox", pod), ("CreateContainer", creation),
                       ("RemovePodSandbox", pod), ("PodSandboxStatus", pod)] * 3)
    print(answers["StopPodSandbox"], answers["RemovePodSandbox"],
          set(answers["CreateContainer"]) <= {"OK", "NOT_FOUND", "ALREADY_EXISTS",
                                              "FAILED_PRECONDITION"},
          set(answers["PodSandboxStatus"]) <= {"OK", "NOT_FOUND"})


def fickle(socket, image, remote, directory, cgroup):
    """In the midst of each call that changes something the client goes away, by its deadline or by
    cancelling; then it is called to its end. Prints what did not work then."""
    client, delay = Client(socket), [0.003]

    def briefly(name, request):
        message = getattr(cri_pb2, find(name).input_type.name)()
        json_format.ParseDict(request, message)
        delay[0] = delay[0] * 1.6 if delay[0] < 0.1 else 0.003
        if int(delay[0] * 1e6) % 2:
            return client.code(name, request, timeout=delay[0])
        call = client.stub(name).future(message, timeout=60)
        time.sleep(delay[0])
        call.cancel()
        return call.code().name

    def wholly(name, request):
        codes = {briefly(name, request), briefly(name, request)}
        if not codes <= {"OK", "DEADLINE_EXCEEDED", "CANCELLED", "ALREADY_EXISTS", "NOT_FOUND",
                         "FAILED_PRECONDITION"}:
            print(name, codes)
        for _ in range(100):  # what was cancelled is being undone, or was not
            try:
                return client.call(name, request, timeout=60)
            except grpc.RpcError as error:
                if error.code().name != "ALREADY_EXISTS":
                    print(name, error.code().name, error.details())
                    return None
                time.sleep(0.05)
                request["config"]["metadata"]["attempt"] += 1
        print(name, "never")
        return None

    for i in range(4):
        wholly("PullImage", {"image": {"image": remote}})
        config = {"metadata": {"name": f"f{i}", "uid": "f", "namespace": "fickle", "attempt": 0},
                  "logDirectory": directory, "linux": {"cgroupParent": cgroup}}
        pod = wholly("RunPodSandbox", {"config": config}).pod_sandbox_id
        container = {"containerId": wholly("CreateContainer", {
            "podSandboxId": pod, "sandboxConfig": config,
            "config": {"metadata": {"name": "c", "attempt": 0}, "image": {"image": image},
                       "command": ["sleep", "100"]}}).container_id}
        briefly("StartContainer", container)
        if client.code("StartContainer", container) not in ("OK", "FAILED_PRECONDITION"):
            print("StartContainer")
        for name, request in (("StopContainer", container), ("RemoveContainer", container),
                              ("StopPodSandbox", {"podSandboxId": pod}),
                              ("RemovePodSandbox", {"podSandboxId": pod}),
                              ("RemoveImage", {"image": {"image": remote}})):
            wholly(name, request)
    for pod in client.call("ListPodSandbox").items:
        client.call("RemovePodSandbox", {"podSandboxId": pod.id}, timeout=60)


def unknown(socket):
    """Methods that are not answered, and paths that nobody knows."""
    client = Client(socket)
    codes = {client.code(name, timeout=10) for name in ("CheckpointPod", "RestorePod")}
    for path in ("/runtime.v1.RuntimeService/Nope", "/runtime.v2.RuntimeService/Version", "/", "/x",
                 "/runtime.v1.ImageService/Version", "/runtime.v1.RuntimeServic/Version"):
        codes.add(raw_code(client, path, b""))
    print(sorted(codes))


def malformed(socket):
    """Bytes that are no message."""
    client = Client(socket)
    for data in (b"\xff", b"\x0a\x05a", b"\x0a\x02\xc3\x28", b"\x0b\x0c"):
        print(raw_code(client, "/runtime.v1.RuntimeService/Version", data))


def deadline(socket):
    """A deadline of 1 ms, one in the middle, and how soon the answer came."""
    client = Client(socket)
    print(client.code("PullImage", {"image": {"image": "slow"}}, timeout=0.001))
    start = time.monotonic()
    print(client.code("PullImage", {"image": {"image": "slow"}}, timeout=0.5))
    print(time.monotonic() - start < 30)  # what it asks for takes 60


def cancel(socket):
    """The client changes its mind."""
    stub = Client(socket).stub("PullImage")
    request = cri_pb2.PullImageRequest()
    request.image.image = "slow"
    call = stub.future(request, timeout=60)
    time.sleep(0.7)
    call.cancel()
    print(call.code().name)


def held(pid):
    """What a process has: descriptors, children, and kB of memory of its own."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        memory = next(int(line.split()[1]) for line in file if line.startswith("Private_Dirty:"))
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return len(os.listdir(f"/proc/{pid}/fd")), len(file.read().split()), memory


def settled(pid):
    """The same, when the last handlers are gone."""
    for _ in range(200):
        time.sleep(0.05)
        if held(pid)[1] == 0:
            break
    return held(pid)


def mixed(client, number):
    """A call of one of many kinds; its code."""
    absent = {"containerId": "0" * 64}
    kinds = (
        lambda: client.code("Version", timeout=60),
        lambda: client.code("ListContainers", timeout=60),
        lambda: client.code("ListPodSandbox", {"filter": {"id": "x"}}, timeout=60),
        lambda: client.code("ContainerStatus", absent, timeout=60),
        lambda: client.code("StartContainer", absent, timeout=60),
        lambda: client.code("RemoveContainer", absent, timeout=60),
        lambda: client.code("ImageStatus", timeout=60),
        lambda: client.code("Version", timeout=0.001),
        lambda: client.code("StreamContainers", timeout=60),
        lambda: client.code("GetContainerEvents", timeout=0.05),
        lambda: raw_code(client, "/runtime.v1.RuntimeService/Version", b"\xff"),
        lambda: raw_code(client, "/runtime.v1.RuntimeService/Nope", b""),
    )
    return kinds[number % len(kinds)]()


def many(socket, pid, count):
    """So many calls, those that fail among them, on ten connections one after the other; prints
    what they have left in the server, and the codes."""
    codes = set()

    def some(numbers):
        client = Client(socket)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            codes.update(pool.map(lambda n: mixed(client, n), numbers))
        client.channel.close()

    some(range(200))  # until it has what it keeps
    before, part = settled(pid), int(count) // 10
    for i in range(10):
        some(range(i * part, (i + 1) * part))
    after = settled(pid)
    print(after[0] - before[0], after[1], after[2] - before[2] < 200)
    print(" ".join(sorted(codes)))
    print(before, after, file=sys.stderr)


def steady(socket):
    """Calls without end, for a server that is stopped and started meanwhile. Ends on stdin's end
    with one more call, for which it waits; prints the codes of all and of that."""
    client = Client(socket, [("grpc.initial_reconnect_backoff_ms", 100),
                             ("grpc.min_reconnect_backoff_ms", 100),
                             ("grpc.max_reconnect_backoff_ms", 300)])
    stop, codes = threading.Event(), set()
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    while not stop.is_set():
        codes.add(client.code("Version", timeout=10))
        time.sleep(0.01)
    print(sorted(codes), client.code("Version", timeout=10, wait_for_ready=True))


def late_events(socket):
    """GetContainerEvents whose request comes after its headers, on stdin's end."""
    def requests():
        sys.stdin.read()
        yield cri_pb2.GetEventsRequest()

    client = Client(socket)
    client.call("Version")
    call = client.channel.stream_stream(
        "/runtime.v1.RuntimeService/GetContainerEvents",
        request_serializer=lambda m: m.SerializeToString())(requests(), timeout=60)
    time.sleep(1)
    print("begun", flush=True)
    os.close(1)
    try:
        list(call)
    except grpc.RpcError as error:
        sys.exit(f"{error.code().name}: {error.details()}")


def main():
    socket, what, *rest = sys.argv[1:]
    if what in globals() and what.islower():
        globals()[what](socket, *rest)
    else:
        single(socket, what, *rest)


if __name__ == "__main__":
    main()
