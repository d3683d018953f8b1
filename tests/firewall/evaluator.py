"""Asks the evaluator, and says whether its verdict is true of what the kernel did."""
import json
import subprocess

# A packet of ours with so little in it.
LENGTHS = {("udp", False): 36, ("udp", True): 56, ("tcp", False): 60, ("tcp", True): 80}


class Evaluator:
    """The program firewall_evaluate; one line in, one line out."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def ask(self, recorded, packet, question="evaluate"):
        self.process.stdin.write(json.dumps({"recorded": recorded, "packet": packet, "question": question}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer


def packet_in(protocol="udp", port=4000, source_port=7000, source="10.9.0.1", to="10.9.0.2", interface="vb"):
    """The first packet of Network.probe, as far as it is known beforehand."""
    return {"direction": "in", "interface": interface, "protocol": protocol, "source": source, "source_port": source_port,
            "to": to, "port": port, "length": LENGTHS[protocol, ":" in to]}


def from_anywhere(packet):
    """The same when nobody has said who the sender will be."""
    return {name: value for name, value in packet.items() if name not in ("source", "source_port")}


def packet_out(source, port, to, to_port, interface="vb"):
    return {"direction": "out", "interface": interface, "protocol": "udp", "source": source, "source_port": port,
            "to": to, "port": to_port, "length": LENGTHS["udp", ":" in to]}


def wrong(verdict, kernel, answers_may_be_stopped=False):
    """Why a verdict is not true of what became of the packet, or None. An open question is never wrong."""
    passed = kernel["delivered"] is not None
    if verdict["passes"] is not None and verdict["passes"] != passed:
        return f"says that the packet {'passes' if verdict['passes'] else 'does not pass'}"
    kind = verdict["kind"]
    if kind == "accept" and not passed:
        return "accepts"
    if kind == "accept" and (delivery := verdict["delivery"]):
        to = delivery["port"] if delivery["local"] else f"{delivery['to']} {delivery['port']}"
        if to != kernel["delivered"]:
            return f"says that it goes to {to}"
    if kind in ("drop", "reply-only") and (passed or kernel["answer"]):
        return "drops" if kind == "drop" else "says reply-only"
    if kind == "reject":
        if passed:
            return "rejects"
        said = verdict["reject"].removeprefix("icmp ")
        # Without a word it is open which of several it is.
        if said and kernel["answer"] != said and not (answers_may_be_stopped and kernel["answer"] is None):
            return f"says that the answer is {said}"
    return None
