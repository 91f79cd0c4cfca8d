import type { Boot } from '@gantry/control'

/** What of this machine an instance sees, always read-only. */
export interface InstanceProgram {
  /** Path of the Node that runs the agent. */
  readonly node: string
  /** The agent's first file, and the folder that it needs. */
  readonly agent: string
  readonly folder: string
  readonly caFiles: readonly string[]
}

export interface InstancePlace {
  readonly image: string
  readonly network: string
  readonly deployment: string
  /** `HOST:PORT` where its agent reaches the servers. */
  readonly servers: string
  readonly program: InstanceProgram
}

export const deploymentLabel = 'gantry.compute'
export const instanceLabel = 'gantry.instance'
export const tokenLabel = 'gantry.token'

/**
 * The engine's create request for an instance: a container that is as much of a machine as its kernel lets it be. It has all
 * capabilities but one that a restricted root cannot hand on (so `Privileged` would fail there) and its own control group
 * namespace, where its own engine works. Its programs are this machine's.
 */
export function instanceBody(boot: Boot, { image, network, deployment, servers, program }: InstancePlace): object {
  const labels = Object.entries(boot.labels).flatMap(([key, value]) => ['--label', `${key}=${value}`])
  const agent = [program.node, program.agent, '--join', servers, '--name', boot.name]
  const command = [...agent, '--state', '/var/lib/gantry/agent', '--engine', 'unix:///run/docker.sock', ...labels]
  return {
    Image: image,
    Hostname: boot.name,
    Entrypoint: ['/bin/sh', '-c', bootScript, 'boot'],
    Cmd: command,
    Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin', 'HOME=/root', `GANTRY_JOIN_TOKEN=${boot.token}`],
    Labels: { [deploymentLabel]: deployment, [instanceLabel]: boot.id, [tokenLabel]: boot.tokenId },
    // A file system of the disk itself: overlays do not lie on overlays.
    Volumes: { '/var/lib': {} },
    HostConfig: {
      NetworkMode: network,
      Binds: binds(program),
      Tmpfs: { '/run': 'exec', '/tmp': 'exec' },
      CapAdd: ['ALL'],
      CapDrop: ['SYS_RESOURCE'],
      SecurityOpt: ['seccomp=unconfined', 'apparmor=unconfined'],
      // Nothing of /proc and /sys is hidden or read-only.
      MaskedPaths: [],
      ReadonlyPaths: [],
      DeviceCgroupRules: ['a *:* rwm'],
      CgroupnsMode: 'private',
      RestartPolicy: { Name: 'unless-stopped' },
      LogConfig: { Type: 'json-file', Config: { 'max-size': '4m', 'max-file': '1' } },
    },
  }
}

/** Folders that Debian has one below another, each by its own name, and what programs look up beside them. */
function binds({ node, folder, caFiles }: InstanceProgram): string[] {
  const system = ['/usr', '/bin', '/sbin', '/lib', '/lib64', '/etc/alternatives', '/etc/ld.so.cache', ...caFiles]
  const inUsr = (path: string) => path.startsWith('/usr/')
  const own = [node, folder].filter((path) => !inUsr(path))
  return [...new Set([...system, ...own])].map((path) => `${path}:${path}:ro`)
}

/**
 * Makes the control groups and the kernel's settings writable, starts an engine and then, as the arguments say, the agent. Ends
 * when one of them does, so that the engine outside starts it all again.
 */
const bootScript = `
mount -o remount,bind,rw /sys
for each in /sys/fs/cgroup /sys/fs/cgroup/*; do mount -o remount,bind,rw "$each" 2>/dev/null; done
mount --make-rshared /
echo 1 >/proc/sys/net/ipv4/ip_forward
mknod -m 600 /dev/loop-control c 10 237 2>/dev/null
n=0
while [ $n -lt 64 ]; do mknod -m 660 /dev/loop$n b 7 $n 2>/dev/null; n=$((n + 1)); done
mkdir -p /var/lib/docker /var/lib/gantry /var/tmp
dockerd --host unix:///run/docker.sock --data-root /var/lib/docker --exec-root /run/docker --pidfile /run/docker.pid \\
  --log-level warn --log-opt max-size=16m --log-opt max-file=2 &
engine=$!
until [ -S /run/docker.sock ]; do kill -0 $engine || exit 1; sleep 0.05; done
"$@" &
agent=$!
trap 'kill $agent $engine; wait' TERM
while kill -0 $engine 2>/dev/null && kill -0 $agent 2>/dev/null; do sleep 1 & wait $!; done
exit 1
`
