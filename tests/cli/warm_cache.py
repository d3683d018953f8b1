"""What the host knows of the plugins that were built, so that tests with a cache of their own need not have it found out anew.

Each description takes a child that loads a plugin; with sanitizers and all plugins that is some seconds.
"""
import atexit
import os
import shutil
import subprocess
import tempfile

FILE = "/p2pdiag/plugins.json"
_known = {}


def warm(host, cache):
    """Makes the folder `cache`, which is to be XDG_CACHE_HOME for `host`."""
    if host not in _known:
        _known[host] = tempfile.mkdtemp()
        atexit.register(shutil.rmtree, _known[host])
        environment = {name: value for name, value in os.environ.items() if not name.startswith("P2P")}
        subprocess.run([host, "list", "plugins"], env=dict(environment, XDG_CACHE_HOME=_known[host]),
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    os.makedirs(os.path.dirname(cache + FILE))
    shutil.copy(_known[host] + FILE, cache + FILE)
