#!/usr/bin/python3
"""Services that write TXT records, each as its protocol is published, on one loopback port:

  POST /directedit.html            MyDNS.JP's DirectEdit (Basic auth: master:secret-of-mydns)
  POST /register, /update          acme-dns
  POST /present, /cleanup          lego's HTTP form, both of its modes (Basic auth if --login)
  everything else                  moto with --moto FOLDER: Route 53, STS, IAM, with IAM enforced

  GET  /_stands?name=&value=       "yes" or "no"
  GET  /_set?NAME=VALUE            faults: throttle=N, pending=N, lose=N, race=N, status=N, odd=1
  GET  /_log                       a line a request

With --dns ADDR --key FILE --zone NAME every change also goes to a real name server, by nsupdate.
--info FILE: where NAME=VALUE lines are written once it listens."""
import argparse
import base64
import hashlib
import json
import os
import re
import socketserver
import subprocess
import sys
import threading
import urllib.parse
import wsgiref.simple_server

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, required=True)
parser.add_argument("--info", required=True)
parser.add_argument("--moto")
parser.add_argument("--dns")
parser.add_argument("--key")
parser.add_argument("--zone", default="a.test")
parser.add_argument("--login")
parser.add_argument("--others", default="", help="labels, by commas: somebody else has a value at _acme-challenge.LABEL.ZONE")
options = parser.parse_args()

# what others have in the zone
others = {label + options.zone: value for label, value in (
    ("", "v=spf1 -all"), ("_dmarc.", "v=DMARC1; p=reject"), ("sel._domainkey.", "v=DKIM1; p=MFww"), ("_acme-challenge.", "of somebody else"))}
beside = {"_acme-challenge.%s.%s" % (label, options.zone): "of somebody else" for label in options.others.split(",") if label}
# name -> values, of the services that are not moto
records = {name: [value] for name, value in ({**beside} if options.moto else {**others, **beside}).items()}
registered = {}  # acme-dns: subdomain -> (user, password)
faults = {"throttle": 0, "pending": 0, "lose": 0, "race": 0, "status": 0, "odd": 0}
log = []
lock = threading.RLock()
info = {}


def take_fault(name):
    with lock:
        if faults[name] > 0:
            faults[name] -= 1
            return True
        return False


def push(name, values):
    """The real name server has these values of the name now, and no others."""
    if not options.dns:
        return
    lines = ["server %s" % options.dns.replace(":", " "), "update delete %s. TXT" % name]
    lines += ["update add %s. 1 TXT %s" % (name, v if v.startswith('"') else '"%s"' % v) for v in values]
    subprocess.run(["nsupdate", "-v", "-k", options.key], input="\n".join(lines + ["send", ""]), text=True, check=True, timeout=20)


def change(name, value, add, most=None):
    with lock:
        values = [v for v in records.get(name, []) if v != value] + ([value] if add else [])
        records[name] = values[-most:] if most else values
        push(name, records[name])


# ---- Route 53 ----

moto_app = None
zone_ids = {}


def sets_of(name):
    from moto.route53.models import route53_backends

    for backend in route53_backends["123456789012"].values():
        for zone in backend.zones.values():
            for record in getattr(zone, "rrsets", []):
                if record.type == "TXT" and record.name.rstrip(".") == name and not zone.private_zone:
                    return list(record.records)
    return []


def enforce_iam():
    """moto signs a GET's query as if it were a body, and knows no resources of Route 53."""
    from botocore.awsrequest import AWSRequest
    from moto.iam import access_control

    base = access_control.IAMRequestBase

    def aws_request(self):
        signed = self._get_string_between("SignedHeaders=", ",", self._headers["Authorization"]).split(";")
        headers = self._create_headers_for_aws_request(signed, self._headers)
        request = AWSRequest(method=self._method, url=self._path, data=self._body or (self._data if self._method == "POST" else b""), headers=headers)
        request.context["timestamp"] = headers["X-Amz-Date"]
        return request

    permitted = base.check_action_permitted

    def check(self, resource):
        zone = re.search(r"/hostedzone/(\w+)", self._path)
        return permitted(self, "arn:aws:route53:::hostedzone/" + zone[1] if zone else resource)

    base._create_aws_request = aws_request
    base.check_action_permitted = check


def keep_to_batches():
    """moto takes a DELETE of a set as it once was, and a CREATE of one that is there. Route 53 does not:
    a batch is made whole, or refused where it deletes what is not exactly so, or creates what exists."""
    from moto.route53 import exceptions, models

    def key_of(name, kind):
        return name.rstrip(".").lower(), kind

    def change(self, zoneid, change_list):
        zone = self.get_hosted_zone(zoneid)
        with lock:
            now = {key_of(r.name, r.type): r for r in zone.rrsets}
            for c in change_list:
                new = c["ResourceRecordSet"]
                key = key_of(new["Name"], new["Type"])
                if not (key[0] + ".").endswith("." + zone.name) and key[0] + "." != zone.name:
                    raise exceptions.DnsNameInvalidForZone(name=new["Name"], zone_name=zone.name)
                made = models.RecordSet(dict(new, Name=key[0] + ".", ResourceRecords=[r["Value"] for r in new["ResourceRecords"]]))
                there = now.get(key)
                if c["Action"] == "DELETE":
                    if not there or int(there.ttl) != int(made.ttl) or sorted(there.records) != sorted(made.records):
                        raise exceptions.Route53ClientError(
                            "InvalidChangeBatch",
                            "[Tried to delete resource record set [name='%s', type='%s'] but the values provided do not match the current values]" % key)
                    del now[key]
                elif c["Action"] == "CREATE" and there:
                    raise exceptions.ResourceRecordAlreadyExists(name=key[0], _type=key[1])
                else:
                    now[key] = made
            zone.rrsets = list(now.values())

    models.Route53Backend.change_resource_record_sets = change


def write_as_another(name, value, beside):
    """What somebody else writes meanwhile: the set with this value added, or as they read it earlier."""
    from moto.route53.models import route53_backends

    records = [{"Value": v} for v in beside + [value]]
    rrset = {"Name": name + ".", "Type": "TXT", "TTL": 300, "ResourceRecords": records}
    route53_backends["123456789012"]["aws"].change_resource_record_sets(zone_ids[options.zone], [{"Action": "UPSERT", "ResourceRecordSet": rrset}])


def start_moto():
    global moto_app
    sys.path.insert(0, options.moto + "/usr/lib/python3/dist-packages")
    os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "0"
    from moto.iam.models import iam_backends
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from moto.route53.models import route53_backends

    enforce_iam()
    keep_to_batches()
    moto_app = DomainDispatcherApplication(create_backend_app)
    iam = iam_backends["123456789012"]["aws"]
    dns = route53_backends["123456789012"]["aws"]
    for name in (options.zone, "sub." + options.zone, "other.test"):
        zone = dns.create_hosted_zone(name + ".", private_zone=False, caller_reference=name)
        zone_ids[name] = zone.id.rsplit("/", 1)[-1]
    try:
        dns.create_hosted_zone("www." + options.zone + ".", private_zone=True, caller_reference="private", vpcid="vpc-1", vpcregion="us-east-1")
    except Exception:
        vpc = [{"vpc_id": "vpc-1", "vpc_region": "us-east-1"}]
        dns.create_hosted_zone("www." + options.zone + ".", private_zone=True, caller_reference="private", vpcs=vpc)
    for name, value in {**others, **beside}.items():
        rrset = {"Name": name + ".", "Type": "TXT", "TTL": 300, "ResourceRecords": [{"Value": '"%s"' % value}]}
        dns.change_resource_record_sets(zone_ids[options.zone], [{"Action": "UPSERT", "ResourceRecordSet": rrset}])
    arn = "arn:aws:route53:::hostedzone/"
    read = {"Effect": "Allow", "Action": ["route53:ListHostedZonesByName", "route53:ListResourceRecordSets", "route53:GetChange"], "Resource": "*"}
    write = {"Effect": "Allow", "Action": "route53:ChangeResourceRecordSets", "Resource": [arn + zone_ids[options.zone], arn + zone_ids["sub." + options.zone]]}
    assume = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
    users = {"writer": [read, write], "reader": [read], "bare": [write], "guest": [assume]}
    for user, statements in users.items():
        iam.create_user("us-east-1", user)
        key = iam.create_access_key(user)
        info[user + "_id"], info[user + "_secret"] = key.access_key_id, key.secret_access_key
        iam.put_user_policy(user, "own", json.dumps({"Version": "2012-10-17", "Statement": statements}))
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
    role = iam.create_role(role_name="dns", assume_role_policy_document=json.dumps(trust), path="/", permissions_boundary=None,
                           description="", tags=[], max_session_duration="3600")
    iam.put_role_policy("dns", "own", json.dumps({"Version": "2012-10-17", "Statement": [read, write]}))
    info["role"] = role.arn
    for name, zone_id in zone_ids.items():
        info["zone_" + name] = zone_id


def aws_error(code, message):
    return "400 Bad Request", "text/xml", '<?xml version="1.0"?><ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>' % (code, message)


def names_in(body):
    return {n.rstrip(".") for n in re.findall(r"<Name>([^<]+)</Name>", body)}


def ask_moto(environ, body):
    import io

    if environ["PATH_INFO"].startswith("/2013-04-01/") and take_fault("throttle"):
        return aws_error("Throttling", "Rate exceeded")
    environ["wsgi.input"] = io.BytesIO(body)
    got = []
    writes = environ["REQUEST_METHOD"] == "POST" and "/rrset" in environ["PATH_INFO"]
    for name in names_in(body.decode()) if writes else []:
        if take_fault("race"):
            write_as_another(name, '"of a fourth one, number %d"' % faults["race"], sets_of(name))
    chunks = moto_app(environ, lambda status, headers, exc=None: got.append((status, dict(headers))))
    text = b"".join(chunks).decode()
    status, headers = got[0]
    if writes and status.startswith("2"):
        for name in names_in(body.decode()):
            if take_fault("lose"):
                write_as_another(name, '"of a third one"', [])
            push(name, sets_of(name))
    if "/change/" in environ["PATH_INFO"] and take_fault("pending"):
        text = text.replace("INSYNC", "PENDING")
    return status, headers.get("Content-Type", "text/xml"), text


# ---- the others ----


def has_login(environ, login):
    return environ.get("HTTP_AUTHORIZATION") == "Basic " + base64.b64encode(login.encode()).decode()


def directedit(environ, body):
    form = {k: v[0] for k, v in urllib.parse.parse_qs(body.decode()).items()}
    if not has_login(environ, "master:secret-of-mydns"):
        return "401 Unauthorized", "text/html", "<html>who are you?</html>"
    if faults["odd"] or not form.get("CERTBOT_DOMAIN", "").endswith(options.zone):
        return "200 OK", "text/html", "<html>NOT YOUR DOMAIN, BROKEN</html>"
    name = "_acme-challenge." + form["CERTBOT_DOMAIN"]
    change(name, form["CERTBOT_VALIDATION"], {"REGIST": True, "DELETE": False}[form["EDIT_CMD"]])
    return "200 OK", "text/html", "<html><body>\nOK: %s\n</body></html>" % form["EDIT_CMD"]


def register(environ, body):
    number = len(registered) + 1
    subdomain = "%08d-0000-4000-8000-000000000000" % number
    registered[subdomain] = ("user-%d" % number, "secret-of-acme-dns-%d" % number)
    answer = {"username": registered[subdomain][0], "password": registered[subdomain][1], "subdomain": subdomain,
              "fulldomain": "%s.acme.%s" % (subdomain, options.zone), "allowfrom": []}
    return "201 Created", "application/json", json.dumps(answer)


def update(environ, body):
    asked = json.loads(body)
    login = (environ.get("HTTP_X_API_USER"), environ.get("HTTP_X_API_KEY"))
    if registered.get(asked["subdomain"]) != login or len(asked["txt"]) != 43:
        return "401 Unauthorized", "application/json", '{"error": "forbidden"}'
    change("%s.acme.%s" % (asked["subdomain"], options.zone), asked["txt"], True, most=2)
    return "200 OK", "application/json", json.dumps({"txt": "" if faults["odd"] else asked["txt"]})


def httpreq(environ, body):
    asked = json.loads(body)
    if options.login and not has_login(environ, options.login):
        return "403 Forbidden", "text/plain", "who are you?"
    if "keyAuth" in asked:
        digest = hashlib.sha256(asked["keyAuth"].encode()).digest()
        asked = {"fqdn": "_acme-challenge.%s." % asked["domain"], "value": base64.urlsafe_b64encode(digest).decode().rstrip("=")}
    if not asked["fqdn"].endswith("."):
        return "400 Bad Request", "text/plain", "no fqdn"
    change(asked["fqdn"].rstrip("."), asked["value"], environ["PATH_INFO"] == "/present")
    return "200 OK", "text/plain", ""


def control(path, query):
    if path == "/_set":
        faults.update({k: int(v) for k, v in query.items()})
        return "ok"
    if path == "/_log":
        return "\n".join(log)
    values = records.get(query["name"], []) + ([v.strip('"') for v in sets_of(query["name"])] if moto_app else [])
    return "yes" if query["value"] in values else "no"


handlers = {"/directedit.html": directedit, "/register": register, "/update": update, "/present": httpreq, "/cleanup": httpreq}


def serve(environ, start):
    path = environ["PATH_INFO"]
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length) if length else b""
    if path.startswith("/_"):
        query = dict(urllib.parse.parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
        answer = ("200 OK", "text/plain", control(path, query))
    else:
        log.append("%s %s?%s %s" % (environ["REQUEST_METHOD"], path, environ.get("QUERY_STRING", ""), body.decode(errors="replace").replace("\n", " ")))
        if faults["status"]:
            answer = ("%d Fault" % faults["status"], "text/plain", "out of order")
        elif path in handlers:
            answer = handlers[path](environ, body)
        elif moto_app:
            answer = ask_moto(environ, body)
        else:
            answer = ("404 Not Found", "text/plain", "")
    data = answer[2].encode()
    start(answer[0], [("Content-Type", answer[1]), ("Content-Length", str(len(data)))])
    return [data]


class Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    daemon_threads = True


class Handler(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *args):
        pass


if options.moto:
    start_moto()
server = wsgiref.simple_server.make_server("127.0.0.1", options.port, serve, server_class=Server, handler_class=Handler)
with open(options.info + ".new", "w") as f:
    f.write("".join("%s=%s\n" % item for item in sorted(info.items())) + "ready=1\n")
os.rename(options.info + ".new", options.info)
server.serve_forever()
