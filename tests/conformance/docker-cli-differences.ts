import type { Difference } from '../fixtures/docker-script.ts'

const refused = 'what reaches the host or another container is refused by [docker-policy.md](docker-policy.md)'
const quota = 'a project has a quota, and a container always has limits'
const confined = 'every container is confined'
const outside = 'ports are published on the public address of the project, not on those of a machine'
const hostOnly = 'there is no host to be seen'
const words = 'the sentence is another'
const events = 'told from what hosts report, which is what changes a container'
const names = 'named as containers are'
const registries = 'no registry of the inside is connected to'

/** All that may differ between a plain engine and Gantry, as seen by the docker command line. */
export const dockerCliDifferences: readonly Difference[] = [
  {
    line: 'docker run --rm --cap-add SYS_ADMIN',
    engine: /^exit 0/,
    gantry: /^exit 125[^]*CapAdd SYS_ADMIN is not allowed/,
    why: refused,
  },
  {
    line: 'docker run --rm --privileged',
    engine: /^exit/,
    gantry: /^exit 125[^]*Privileged is not allowed/,
    why: refused,
  },
  {
    line: 'docker run --rm -v /etc:/host',
    engine: /^exit 0/,
    gantry: /^exit 125[^]*Binds \/etc is not allowed/,
    why: refused,
  },
  {
    line: 'docker exec --privileged',
    engine: /^exit/,
    gantry: /^exit 1[^]*Privileged is not allowed/,
    why: refused,
  },
  {
    line: 'docker run --rm -v relative/path:/x',
    engine: /^exit 125[^]*invalid characters for a local volume name/,
    gantry: /^exit 125[^]*Binds relative\/path is not allowed/,
    why: refused,
  },
  {
    line: 'docker run --rm --network container:web',
    engine: /^exit 0\nserved/,
    gantry: /^exit 125[^]*NetworkMode container:web is not allowed/,
    why: refused,
  },
  {
    line: 'docker run --rm --network host',
    engine: /^exit 0/,
    gantry: /^exit 125[^]*NetworkMode host is not allowed/,
    why: refused,
  },
  {
    line: 'docker run --rm --volumes-from',
    engine: /^exit 0/,
    gantry: /^exit 125[^]*VolumesFrom is not allowed/,
    why: refused,
  },
  {
    line: 'docker network create -d host',
    engine: /^exit 1[^]*only one instance/,
    gantry: /^exit 1[^]*Driver is not allowed/,
    why: refused,
  },
  {
    line: 'docker network create -d macvlan',
    engine: /^exit/,
    gantry: /^exit 1[^]*Driver is not allowed/,
    why: refused,
  },
  {
    line: 'docker volume create -o type=none',
    engine: /^exit 0/,
    gantry: /^exit 1[^]*DriverOpts device is not allowed/,
    why: refused,
  },
  {
    line: 'docker run --rm --cpus 10000',
    engine: /^exit 125[^]*Range of CPUs/,
    gantry: /^exit 125[^]*Quota exceeded for cpu/,
    why: quota,
  },
  {
    line: "docker inspect -f '{{json .HostConfig.SecurityOpt}}",
    engine: /^exit 0\nnull null 0 0$/,
    gantry: /^exit 0\n\["no-new-privileges"\] 4096 536870912 1000000000$/,
    why: quota,
  },
  {
    line: "docker inspect -f '{{.HostConfig.NetworkMode}}",
    engine: /^exit 0\ndefault private 67108864 null null 0$/,
    gantry: /^exit 0\ndefault private 67108864 null \["NET_RAW"\] 0$/,
    why: confined,
  },
  {
    line: 'docker events',
    engine: /^exit 0[^]*exec_die[^]*\ntop[^]*\nupdate/,
    gantry: /^exit 0\ncreate\ndestroy\ndie\n(exec_create.*\n)+kill\npause\nrename\nstart\nstop\nunpause$/,
    why: events,
  },
  {
    line: "docker network create 'bad name'",
    engine: /^exit 0/,
    gantry: /^exit 1[^]*invalid network name: bad name/,
    why: names,
  },
  {
    line: "docker network ls --format '{{.Name}} {{.Driver}}",
    engine: /^exit 0[^]*host host local/,
    gantry: /^exit 0\nbridge bridge local\ninside bridge local\nnet1 bridge local\nnet2 bridge local\nnone null local$/,
    why: hostOnly,
  },
  {
    line: 'docker network rm host',
    engine: /^exit 1[^]*pre-defined/,
    gantry: /^exit 1[^]*(network host not found|No such network: host)/,
    why: hostOnly,
  },
  {
    line: 'docker port shown',
    engine: /^exit 0\n[^]*0\.0\.0\.0:18082/,
    gantry: /^exit 0\n[^]*<ip>:18082$/,
    why: outside,
  },
  {
    line: "docker ps --filter name=shown --format '{{.Ports}}'",
    engine: /^exit 0\n0\.0\.0\.0:18053->53\/udp/,
    gantry: /^exit 0\n<ip>:18053->53\/udp, <ip>:18082->80\/tcp$/,
    why: outside,
  },
  {
    line: 'docker run --rm -p 127.0.0.1:18083:80',
    engine: /^exit 0/,
    gantry: /^exit 125[^]*HostIp 127\.0\.0\.1 is not allowed/,
    why: outside,
  },
  {
    line: 'docker run --name again',
    engine: /^exit 125[^]*on endpoint again \(<id>\): Bind for .* failed: port is already allocated/,
    gantry: /^exit 125[^]*on endpoint again: Bind for .* failed: port is already allocated/,
    why: words,
  },
  {
    line: 'docker network create --subnet nonsense',
    engine: /^exit 1[^]*invalid CIDR address: nonsense/,
    gantry: /^exit 1[^]*invalid CIDR address: nonsense/,
    why: words,
  },
  {
    line: 'docker network rm net2',
    engine: /^exit 1[^]*has active endpoints/,
    gantry: /^exit 1[^]*has active endpoints/,
    why: words,
  },
  {
    line: 'docker run --rm --network net2 --ip 10.99.0.50',
    engine: /^exit 125[^]*Invalid address/,
    gantry: /^exit 125[^]*is not one that a port on network net2 can have/,
    why: words,
  },
  {
    line: 'docker pull 127.0.0.1:1/nosuch:1',
    engine: /^exit 1[^]*connection refused/,
    gantry: /^exit 1[^]*Registry 127.0.0.1:1 is not allowed/,
    why: registries,
  },
  {
    line: 'docker login -u a -p b 127.0.0.1:1',
    engine: /^exit 1[^]*connection refused/,
    gantry: /^exit 1[^]*Registry 127.0.0.1:1 is not allowed/,
    why: registries,
  },
  {
    line: 'docker search nosuch',
    engine: /^exit 1/,
    gantry: /^exit 0\nNAME  DESCRIPTION  STARS  OFFICIAL/,
    why: registries,
  },
  {
    line: 'docker push 127.0.0.1:1/nosuch:1',
    engine: /^exit 1[^]*An image does not exist locally with the tag/,
    gantry: /^exit 1[^]*No such image/,
    why: words,
  },
  {
    line: 'docker save nosuch',
    engine: /^exit 1[^]*No such image: nosuch/,
    gantry: /^exit 1[^]*No such image: nosuch:latest/,
    why: words,
  },
  {
    line: 'echo no tar | docker load',
    engine: /^exit 1[^]*unexpected EOF/,
    gantry: /^exit 1[^]*Unexpected end of data/,
    why: words,
  },
  {
    line: "docker ps -a --filter name=user --format '{{.Image}}'",
    engine: /^exit 0\n<id>$/,
    gantry: /^exit 0\nmine:2$/,
    why: 'a container keeps the name of its image',
  },
  {
    line: 'docker volume create | wc -c',
    engine: /^exit 0\n65$/,
    gantry: /^exit 0\n33$/,
    why: 'the name of a nameless volume is its id',
  },
  {
    line: 'docker kill -s NOSUCH box',
    engine: /^exit 1[^]*Invalid signal: NOSUCH/,
    gantry: /^exit 1[^]*"NOSUCH" is not a signal/,
    why: words,
  },
  {
    line: "docker inspect -f '{{range .Mounts}}{{.Type}} {{.Destination}}{{end}}' voled",
    engine: /^exit 0\nvolume \/vol$/,
    gantry: /^exit 0$/,
    why: 'what only the image declares is part of the container on its host',
  },
  {
    line: 'docker run --rm -v data1:relative',
    engine: /^exit 125[^]*invalid mount path: 'relative' mount path must be absolute/,
    gantry: /^exit 125[^]*invalid mount path: 'relative' mount path must be absolute/,
    why: words,
  },
]
