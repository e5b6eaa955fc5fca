"""One of Swift's servers, or its rings, with everything it reads in a directory of its own.

    swift-server.py DIRECTORY rings ACCOUNT_PORT CONTAINER_PORT OBJECT_PORT
    swift-server.py DIRECTORY account-server|container-server|object-server|proxy-server

The programs that Swift brings read /etc/swift/swift.conf, whatever they are told.
"""

import os
import sys

from swift.common import utils

directory, what, ports = os.path.abspath(sys.argv[1]), sys.argv[2], sys.argv[3:]
utils.set_swift_dir(directory)

if what == "rings":
    from swift.common.ring import RingBuilder

    for name, port in zip(("account", "container", "object"), ports):
        builder = RingBuilder(2, 1, 0)
        place = {"region": 1, "zone": 1, "ip": "127.0.0.1", "port": int(port)}
        builder.add_dev({**place, "device": "disk", "weight": 1.0})
        builder.rebalance()
        builder.get_ring().save(os.path.join(directory, name + ".ring.gz"))
else:
    from swift.common.wsgi import run_wsgi

    # Its last words go to stderr; otherwise they would go to the system's log.
    sys.exit(run_wsgi(os.path.join(directory, what + ".conf"), what, verbose=True))
