"""A home router's UPnP (IGD 1) that misbehaves in ways that miniupnpd does not. Runs on the host `router`.

igd.py [--permanent] [--forgets] [--refuses CODE] [--gives-to ADDRESS] [--external ADDRESS]
--permanent: takes no time limit (725); --forgets: says yes, does nothing and lists nothing; --refuses: says no with this code;
--gives-to: makes every forward for that machine; --external: the outside address that it names. Else it forwards, by rules in the lab's table `nat`.
"""
import argparse
import http.server
import re
import socket
import struct
import subprocess
import threading

parser = argparse.ArgumentParser()
parser.add_argument("--permanent", action="store_true")
parser.add_argument("--forgets", action="store_true")
parser.add_argument("--refuses", type=int)
parser.add_argument("--gives-to")
parser.add_argument("--external", default="11.22.33.7")
options = parser.parse_args()

HERE, PORT = "192.168.7.1", 5000
SERVICE = "urn:schemas-upnp-org:service:WANIPConnection:1"
DEVICES = ("InternetGatewayDevice:1", "WANDevice:1", "WANConnectionDevice:1")
ROOT = "uuid:5d1c1bb4-0f2c-4c5e-9d0c-70327064696b"
forwards = {}


def device(level):
    kind = DEVICES[level]
    inner = ""
    if level == 2:
        inner = (f"<serviceList><service><serviceType>{SERVICE}</serviceType><serviceId>urn:upnp-org:serviceId:WANIPConn1"
                 "</serviceId><controlURL>/control</controlURL><eventSubURL>/event</eventSubURL><SCPDURL>/scpd.xml</SCPDURL>"
                 "</service></serviceList>")
    else:
        inner = f"<deviceList>{device(level + 1)}</deviceList>"
    return (f"<device><deviceType>urn:schemas-upnp-org:device:{kind}</deviceType><friendlyName>A router</friendlyName>"
            f"<manufacturer>Nobody</manufacturer><modelName>Odd</modelName><UDN>{ROOT if level == 0 else ROOT[:-1] + str(level)}"
            f"</UDN>{inner}</device>")


DESCRIPTION = ('<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major><minor>0</minor>'
               f"</specVersion>{device(0)}</root>")


class Fault(Exception):
    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


def entry(key):
    inside, port, text, lease = forwards[key]
    return {"NewInternalPort": port, "NewInternalClient": inside, "NewEnabled": 1, "NewPortMappingDescription": text,
            "NewLeaseDuration": lease}


def nft(*words):
    return subprocess.run(["nft", *words], check=True, capture_output=True, text=True).stdout


def forward(key, inside, port):
    protocol, outside = key
    said = nft("-e", "-a", "add", "rule", "ip", "nat", "prerouting", "iifname", "wan0", protocol.lower(), "dport", str(outside), "dnat",
               "to", f"{inside}:{port}")
    return re.search(r"# handle (\d+)", said).group(1)


handles = {}


def add(given):
    key = (given["NewProtocol"], int(given["NewExternalPort"]))
    lease = int(given.get("NewLeaseDuration", 0))
    if options.refuses:
        raise Fault(options.refuses, "Refused")
    if options.permanent and lease:
        raise Fault(725, "OnlyPermanentLeasesSupported")
    if key in forwards and forwards[key][0] != given["NewInternalClient"] and not options.gives_to:
        raise Fault(718, "ConflictInMappingEntry")
    if options.forgets:
        return {}
    delete_rule(key)
    inside = options.gives_to or given["NewInternalClient"]
    handles[key] = forward(key, inside, int(given["NewInternalPort"]))
    forwards[key] = (inside, int(given["NewInternalPort"]), given.get("NewPortMappingDescription", ""), lease)
    return {}


def delete_rule(key):
    if key in handles:
        nft("delete", "rule", "ip", "nat", "prerouting", "handle", handles.pop(key))


def delete(given):
    key = (given["NewProtocol"], int(given["NewExternalPort"]))
    if options.forgets:
        return {}
    if key not in forwards:
        raise Fault(714, "NoSuchEntryInArray")
    delete_rule(key)
    del forwards[key]
    return {}


def specific(given):
    key = (given["NewProtocol"], int(given["NewExternalPort"]))
    if key not in forwards:
        raise Fault(714, "NoSuchEntryInArray")
    return entry(key)


def generic(given):
    index = int(given["NewPortMappingIndex"])
    if index >= len(forwards):
        raise Fault(713, "SpecifiedArrayIndexInvalid")
    key = list(forwards)[index]
    return {"NewRemoteHost": "", "NewExternalPort": key[1], "NewProtocol": key[0], **entry(key)}


ACTIONS = {
    "GetExternalIPAddress": lambda given: {"NewExternalIPAddress": options.external},
    "GetStatusInfo": lambda given: {"NewConnectionStatus": "Connected", "NewLastConnectionError": "ERROR_NONE", "NewUptime": 4711},
    "GetConnectionTypeInfo": lambda given: {"NewConnectionType": "IP_Routed", "NewPossibleConnectionTypes": "IP_Routed"},
    "GetNATRSIPStatus": lambda given: {"NewRSIPAvailable": 0, "NewNATEnabled": 1},
    "AddPortMapping": add, "DeletePortMapping": delete, "GetSpecificPortMappingEntry": specific,
    "GetGenericPortMappingEntry": generic,
}


def envelope(body):
    return ('<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" '
            f's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>{body}</s:Body></s:Envelope>')


class Handler(http.server.BaseHTTPRequestHandler):
    def say(self, code, text):
        data = text.encode()
        self.send_response(code)
        self.send_header("Content-Type", 'text/xml; charset="utf-8"')
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        self.say(200, DESCRIPTION)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        action = self.headers["SOAPAction"].strip('"').split("#")[1]
        given = dict(re.findall(r"<(New\w+)[^>]*>([^<]*)</", body))
        try:
            if action not in ACTIONS:
                raise Fault(401, "Invalid Action")
            found = ACTIONS[action](given)
        except Fault as fault:
            self.say(500, envelope(
                "<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail><UPnPError "
                f'xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>{fault.code}</errorCode><errorDescription>{fault}'
                "</errorDescription></UPnPError></detail></s:Fault>"))
            return
        values = "".join(f"<{name}>{value}</{name}>" for name, value in found.items())
        self.say(200, envelope(f'<u:{action}Response xmlns:u="{SERVICE}">{values}</u:{action}Response>'))

    def log_message(self, *_):
        pass


def ssdp():
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("", 1900))
    made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                    struct.pack("4s4s", socket.inet_aton("239.255.255.250"), socket.inet_aton(HERE)))
    kinds = ["upnp:rootdevice", *(f"urn:schemas-upnp-org:device:{kind}" for kind in DEVICES), SERVICE]
    while True:
        data, source = made.recvfrom(2048)
        wanted = re.search(r"^ST:\s*(\S+)", data.decode("latin1"), re.MULTILINE | re.IGNORECASE)
        if not data.startswith(b"M-SEARCH") or not wanted:
            continue
        for kind in kinds if wanted[1] == "ssdp:all" else [wanted[1]] if wanted[1] in kinds else []:
            made.sendto((f"HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: {kind}\r\nUSN: {ROOT}::{kind}\r\nEXT:\r\n"
                         f"SERVER: Nothing/1 UPnP/1.0 Odd/1\r\nLOCATION: http://{HERE}:{PORT}/root.xml\r\n\r\n").encode(), source)


threading.Thread(target=ssdp, daemon=True).start()
http.server.ThreadingHTTPServer((HERE, PORT), Handler).serve_forever()
