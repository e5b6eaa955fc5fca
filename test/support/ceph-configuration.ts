export interface CephPlaces {
  readonly directory: string;
  readonly classDirectory: string;
  readonly monitorPort: number;
  /** The store takes a few ports from this one on. */
  readonly portsFrom: number;
}

/** The smallest cluster there is: no keys, no manager, one copy, all in memory. */
export function cephConfiguration(places: CephPlaces, clusterId: string): string {
  const { directory, classDirectory, monitorPort, portsFrom } = places;
  return `[global]
fsid = ${clusterId}
mon host = v2:127.0.0.1:${monitorPort}/0
mon initial members = a
auth cluster required = none
auth service required = none
auth client required = none
auth allow insecure global id reclaim = true
# Without keys nothing can be encrypted, and the default is to insist on it.
ms mon client mode = crc
ms client mode = crc
ms cluster mode = crc
ms service mode = crc
ms bind ipv4 = true
ms bind ipv6 = false
ms bind port min = ${portsFrom}
ms bind port max = ${portsFrom + 60}
public addr = 127.0.0.1
cluster addr = 127.0.0.1
run dir = ${directory}/run
admin socket = ${directory}/run/$name.asok
pid file = ${directory}/run/$name.pid
log file = ${directory}/log/$name.log
crash dir = ${directory}/log
keyring = ${directory}/keyring
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd heartbeat grace = 60
mon allow pool size one = true
mon tick interval = 1
mon max pg per osd = 1000
mon data avail crit = 1
mon data avail warn = 1
# The monitor's decisions would otherwise take a second each.
paxos propose interval = 0.02
paxos min wait = 0.01
[mon.a]
mon data = ${directory}/mon
host = localhost
[osd.0]
osd data = ${directory}/osd
osd objectstore = memstore
osd class load list = *
osd class default list = *
osd class dir = ${classDirectory}
osd op num shards = 1
osd numa auto affinity = false
memstore device bytes = 4294967296
[client]
rgw data = ${directory}/rgw
rgw enable apis = s3
rgw enable usage log = false
rgw num control oids = 1
rgw gc max objs = 8
rgw lc max objs = 8
rgw thread pool size = 64
rgw max concurrent requests = 512
rgw crypt require ssl = false
`;
}
