"""F2: which addresses are public, what a host is, and what the administrator's list can say."""

import contextlib
import ipaddress
import socket

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from litellm.net.faults import TransportFault
from litellm.net.guard import Guard, HostRule, is_public, literal

PUBLIC = """
8.8.8.8 1.1.1.1 100.63.255.255 100.128.0.0 172.15.255.255 172.32.0.0 192.0.1.1 198.17.255.255 198.20.0.0 223.255.255.255
168.63.129.15 2001:4860:4860::8888 2606:4700::1111 2620:fe::fe 2a00:1450:4001:80e::200e 2001:200::1
::ffff:8.8.8.8 64:ff9b::8.8.8.8
""".split()
NOT_PUBLIC = """
0.0.0.0 0.1.2.3 10.0.0.0 10.255.255.255 100.64.0.1 100.127.255.255 100.100.100.200 127.0.0.1 127.255.255.255 169.254.0.1
169.254.169.254 169.254.170.2 168.63.129.16 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1
192.168.0.1 192.168.255.255 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.7 224.0.0.1 239.255.255.255 240.0.0.1
255.255.255.255
:: ::1 ::127.0.0.1 ::10.0.0.7 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::ffff:0:127.0.0.1 64:ff9b::10.0.0.7
64:ff9b::169.254.169.254 64:ff9b:1::1 100::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:10::1 2001:20::1
2001:db8::1 2002:7f00:1:: 2002:0a00:7::1 2002:0808:0808::1 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fd20:ce::254 fe80::1
fe80::1%eth0 fec0::1 ff02::1 4000::1 e000::1
""".split()


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address):
    assert is_public(address)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_not_public(address):
    """F2: loopback, link-local, private, metadata; also inside of IPv6 addresses."""
    assert not is_public(address)


@given(st.ip_addresses())
def test_what_is_public_is_global_for_python_too(address):
    """Python's own lists, of whatever version, contain nothing that ours forgot."""
    assume(is_public(address))
    reached = getattr(address, "ipv4_mapped", None) or address
    assert reached.is_global
    assert not reached.is_multicast
    assert not reached.is_reserved or reached in ipaddress.ip_network("64:ff9b::/96")


@given(st.ip_addresses(v=4), st.sampled_from(["::ffff:0:0", "64:ff9b::", "::", "::ffff:0:0:0"]))
def test_embedding_an_address_makes_it_no_more_public(address, prefix):
    embedded = ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | int(address))
    assert is_public(address) or not is_public(embedded)


@given(st.ip_addresses(v=4), st.integers(0, 2**80 - 1))
def test_tunnels_are_not_public(address, rest):
    """6to4 and Teredo end wherever their address says."""
    assert not is_public(ipaddress.IPv6Address(0x2002 << 112 | int(address) << 80 | rest))
    assert not is_public(ipaddress.IPv6Address(0x20010000 << 96 | int(address) << 64 | rest >> 16))


@pytest.mark.parametrize(
    "host",
    ["", ".", "a..b", "127.1", "0x7f", "1.2.3.4.", "12７.0.0.1", "loca\u212aost", "a\0b", "a%00b", "a b", "[::1]", "::1%lo",
     "2001:4860:4860::8888%lo"],
)  # fmt: skip
def test_a_host_in_an_odd_spelling_is_refused(host):
    """F2: not interpreted, because the next reader may interpret it in another way. (The Kelvin sign becomes a plain k in lower case.)"""
    with pytest.raises(TransportFault) as caught:
        literal(host)
    assert caught.value.kind == "url"


@given(st.text(st.characters(codec="utf-8"), max_size=30))
def test_a_host_is_an_address_or_a_plain_name_or_refused(host):
    """What passes for a name is one for every reader: no NUL, no other digits, no number at its end."""
    with contextlib.suppress(TransportFault):
        if literal(host) is None:
            assert host.isascii()
            assert all(letter.isalnum() or letter in "-_." for letter in host)
            with pytest.raises(OSError):
                socket.inet_aton(host)


@pytest.mark.parametrize(("entry", "host"), [("::1", "::1"), ("[::1]:80", "::1"), ("fd00::/8", "fd00::7")])
def test_addresses_of_ipv6_can_be_listed(entry, host):
    assert Guard.of(entry).addresses(host, 80) == [host]


@pytest.mark.parametrize(
    "entry",
    """
    * *.* a.*.b *example.com http://vllm.internal vllm.internal/v1 user@host host:0 host:65536 host:http 10.0.0.1/8
    2130706433 127.1 0x7f.1 bücher.example a..b host:80:80 10.0.0.0/33 [::1 [fd00::]/8 :80
    """.split()
    + ["", " ", "a b"],
)
def test_an_entry_that_cannot_be_meant_is_an_error(entry):
    """G3: at start-up, and with the forms that there are. An entry that never matches would be found out too late."""
    with pytest.raises(ValueError, match=r"client_side_hosts: write a host"):
        HostRule.of(entry)
