"""Handlers that the tests run; copied beside a `lambda.yaml` by `running.serving`."""

HANDLERS = """
import json, os, pathlib, signal, subprocess, sys, time

COUNT = 0
PLACE = pathlib.Path(os.environ.get("PLACE", "/nonexistent"))

def echo(event, context):
    return event

def count(event, context):
    global COUNT
    COUNT += 1
    return {"count": COUNT, "pid": os.getpid()}

def look(event, context):
    client = context.client_context
    return {
        "environment": dict(os.environ),
        "cwd": os.getcwd(),
        "memory": context.memory_limit_in_mb,
        "version": context.function_version,
        "arn": context.invoked_function_arn,
        "request_id": context.aws_request_id,
        "remaining": context.get_remaining_time_in_millis(),
        "custom": client.custom if client else None,
        "log_stream": context.log_stream_name,
        "encoding": sys.stdout.encoding,
    }

def fail(event, context):
    raise ValueError("no such book")

def speak(event, context):
    print("first line")
    sys.stderr.write("to stderr\\n")
    print("caf\\u00e9" * event.get("times", 1))
    return "spoken"

def sleep(event, context):
    time.sleep(event["seconds"])
    return "slept"

def leave(event, context):
    if event.get("signal"):
        os.kill(os.getpid(), event["signal"])
    os._exit(event["code"])

def large(event, context):
    return "x" * event["size"]

def set_result(event, context):
    return {1, 2}

def try_thrice(event, context):
    tries = PLACE / event["name"]
    with tries.open("a") as file:
        file.write(context.aws_request_id + "\\n")
    if len(tries.read_text().splitlines()) <= event["failures"]:
        raise RuntimeError("not yet")

def answer_then_die(event, context):
    if event.get("die"):
        subprocess.Popen(["sh", "-c", f"sleep 0.05; kill -9 {os.getpid()}"])
    return os.getpid()

def chaos(event, context):
    kind = event["kind"]
    if kind == "sleep":
        time.sleep(60)
    if kind == "exit":
        os._exit(1)
    if kind == "raise":
        raise RuntimeError("chaos")
    if kind == "late":
        subprocess.Popen(["sh", "-c", f"sleep 0.01; kill -9 {os.getpid()}"])
    return event

def stubborn(event, context):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    child = subprocess.Popen(["sleep", "600"])
    (PLACE / "pids").write_text(f"{os.getpid()} {child.pid}")
    time.sleep(600)
"""
