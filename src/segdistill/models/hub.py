"""Know before a download whether it can work: the libraries themselves retry for up to a minute offline."""

from __future__ import annotations

import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from segdistill.core import SegDistillError

TIMEOUT = 1.5
GATEWAY_ERRORS = (407, 502, 503, 504)  # a proxy's answer, not the host's


def ensure_reachable(url: str, what: str, *, instead: Iterable[str]) -> None:
    """Refuse a download that would hang.

    Args:
        url: Any address on the host that would be asked.
        what: What is to be downloaded, for the message.
        instead: Ways out, each a phrase.

    Raises:
        SegDistillError: Within two seconds, if the host does not answer or the Hub is switched off.
    """
    if is_hub(url) and hub_is_off():
        reason = "HF_HUB_OFFLINE is set"
    elif not answers(url):
        reason = f"{urlsplit(url).netloc} does not answer"
    else:
        return
    raise SegDistillError(f"{what} are not on this machine and {reason}. Instead, {', or '.join(instead)}.")


def hub_url() -> str:
    """Address of the Hugging Face Hub or of the mirror named by `HF_ENDPOINT`."""
    from huggingface_hub import constants

    return str(constants.ENDPOINT)


def hub_is_off() -> bool:
    """Whether `HF_HUB_OFFLINE` forbids asking the Hub."""
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


def is_hub(url: str) -> bool:
    """Whether an address lies on the Hub."""
    return urlsplit(url).netloc == urlsplit(hub_url()).netloc


def answers(url: str, timeout: float = TIMEOUT) -> bool:
    """Ask a host for anything at all; never takes much longer than `timeout` seconds.

    Proxies are honoured. A thread, because name resolution knows no timeout.
    """
    found: list[bool] = []
    probe = threading.Thread(target=lambda: found.append(_ask(url, timeout)), daemon=True)
    probe.start()
    probe.join(timeout)
    return bool(found and found[0])


def _ask(url: str, timeout: float) -> bool:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=timeout):
            return True
    except urllib.error.HTTPError as error:
        error.close()
        return error.code not in GATEWAY_ERRORS
    except urllib.error.URLError as error:
        # The library may trust a certificate that Python does not: the host is there.
        return isinstance(error.reason, ssl.SSLCertVerificationError)
    except (OSError, ValueError):
        return False


def cached_hub_file(repo: str, names: Iterable[str], revision: str | None = None) -> Path | None:
    """Find the first of several files of a Hub repository in the local cache."""
    from huggingface_hub import try_to_load_from_cache

    found = (try_to_load_from_cache(repo, name, revision=revision) for name in names)
    return next((Path(path) for path in found if isinstance(path, str)), None)


def cached_url_file(url: str) -> Path | None:
    """Find a file that torch.hub has downloaded before."""
    import torch

    path = Path(torch.hub.get_dir()) / "checkpoints" / Path(urlsplit(url).path).name
    return path if path.is_file() else None
