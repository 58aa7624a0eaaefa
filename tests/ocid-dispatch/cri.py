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


def unknown(socket):
    """Methods that are not answered, and paths that nobody knows."""
    client = Client(socket)
    codes = {client.code(name, timeout=10) for name in ("CheckpointPod", "RestorePod")}
    for path in ("/runtime.v1.RuntimeService/Nope", "/runtime.v2.RuntimeService/Version", "/", "/x",
                 "/runtime.v1.ImageService/Version", "/runtime.v1.RuntimeServic/Version"):
        try:
            client.raw(path, b"")
            codes.add("OK")
        except grpc.RpcError as error:
            codes.add(error.code().name)
    print(sorted(codes))


def malformed(socket):
    """Bytes that are no message."""
    client = Client(socket)
    for data in (b"\xff", b"\x0a\x05a", b"\x0a\x02\xc3\x28", b"\x0b\x0c"):
        try:
            client.raw("/runtime.v1.RuntimeService/Version", data)
            print("OK")
        except grpc.RpcError as error:
            print(error.code().name)


def deadline(socket):
    """A deadline of 1 ms, one in the middle, and how soon the answer came."""
    client = Client(socket)
    print(client.code("PullImage", {"image": {"image": "slow"}}, timeout=0.001))
    start = time.monotonic()
    print(client.code("PullImage", {"image": {"image": "slow"}}, timeout=0.5))
    print(time.monotonic() - start < 3)


def cancel(socket):
    """The client changes its mind."""
    stub = Client(socket).stub("PullImage")
    request = cri_pb2.PullImageRequest()
    request.image.image = "slow"
    call = stub.future(request, timeout=60)
    time.sleep(0.7)
    call.cancel()
    print(call.code().name)


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


def main():
    socket, what, *rest = sys.argv[1:]
    if what in globals() and what.islower():
        globals()[what](socket, *rest)
    else:
        single(socket, what, *rest)


if __name__ == "__main__":
    main()
