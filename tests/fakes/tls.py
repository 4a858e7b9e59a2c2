"""Certificates for the servers here, and what a client needs to talk to them."""

import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LOCAL = ("127.0.0.1", "localhost")


class ServerTLS:
    """Makes a CA that no system trusts and, signed by it, a certificate for the hosts and one for a client.

    With self_signed=True the server has no CA: its certificate vouches for itself, as on many a machine in a cellar.
    """

    def __init__(
        self, folder: Path, hosts: Sequence[str] = LOCAL, *, self_signed: bool = False, require_client: bool = False
    ) -> None:
        self.require_client = require_client
        self.ca_file = folder / "ca.pem"  # what a client has to trust
        self.client_pem = folder / "client.pem"  # certificate and key in one file
        self.client_cert_file = folder / "client-cert.pem"
        self.client_key_file = folder / "client-key.pem"
        self._server_pem = folder / "server.pem"
        self._client_ca_file = folder / "client-ca.pem"

        ca = trustme.CA()
        ca.cert_pem.write_to_path(str(self._client_ca_file))
        if self_signed:
            certificate, key = _self_signed(hosts)
            self.ca_file.write_bytes(certificate)
            self._server_pem.write_bytes(key + certificate)
        else:
            ca.cert_pem.write_to_path(str(self.ca_file))
            ca.issue_cert(*hosts).private_key_and_cert_chain_pem.write_to_path(str(self._server_pem))
        client = ca.issue_cert("client@example.com")
        client.private_key_and_cert_chain_pem.write_to_path(str(self.client_pem))
        client.cert_chain_pems[0].write_to_path(str(self.client_cert_file))
        client.private_key_pem.write_to_path(str(self.client_key_file))

    def server_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self._server_pem)
        if self.require_client:
            context.load_verify_locations(self._client_ca_file)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def client_context(self, *, with_certificate: bool = False) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.ca_file)
        if with_certificate:
            context.load_cert_chain(self.client_pem)
        return context


def _self_signed(hosts: Sequence[str]) -> tuple[bytes, bytes]:
    """Certificate and key, both PEM. By hand, because every certificate of trustme has a CA."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    key_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM), key_pem


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
