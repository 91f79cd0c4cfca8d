import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A machine of the campaign: an address on its bridge, in a network namespace of its own. */
export interface Machine {
  readonly name: string
  readonly address: string
  /** Path of its namespace. */
  readonly netns: string
  /** Cuts its cable, or plugs it in again. */
  plug(isIn: boolean): Promise<void>
  /** Drops that share of what arrives, 0 to 1. */
  lose(share: number): Promise<void>
  /** Lets nothing more than that many kilobits a second out of and into it, so that everything waits; null: as fast as can be. */
  slow(kilobits: number | null): Promise<void>
}

export interface Network extends AsyncDisposable {
  /** A new machine; `netns`: of a namespace that is there already. */
  machine(name: string, netns?: string): Promise<Machine>
}

/** A switch, 10.213.N.0/24, that the campaign's machines hang on, and this one. In a namespace of its own: other engines forbid this one to forward. */
export async function createNetwork(tag: string, number: number): Promise<Network> {
  const title = `gc${tag}`
  const hub = `${title}-switch`
  const made = [hub]
  let next = 11
  const remove = async () => {
    for (const name of made) await quietly('ip', 'netns', 'del', name)
    await quietly('ip', 'link', 'del', title)
  }
  const atHub = (...command: string[]) => run('ip', ['-n', hub, ...command])
  await run('ip', ['netns', 'add', hub])
  await atHub('link', 'add', 'switch', 'type', 'bridge')
  await atHub('link', 'set', 'switch', 'up')
  await run('ip', ['link', 'add', title, 'type', 'veth', 'peer', 'name', 'clients', 'netns', hub])
  await atHub('link', 'set', 'clients', 'master', 'switch', 'up')
  await run('ip', ['addr', 'add', `10.213.${number}.1/24`, 'dev', title])
  await run('ip', ['link', 'set', title, 'up'])
  return {
    async machine(name, given) {
      const address = `10.213.${number}.${next}`
      next += 1
      const own = `${title}-${name}`
      if (given === undefined) {
        await run('ip', ['netns', 'add', own])
        made.push(own)
      }
      const netns = given ?? `/run/netns/${own}`
      const inside = (...command: string[]) => run('nsenter', [`--net=${netns}`, ...command])
      await atHub('link', 'add', name, 'type', 'veth', 'peer', 'name', 'uplink', 'netns', pidOf(netns) ?? own)
      await inside('ip', 'addr', 'add', `${address}/24`, 'dev', 'uplink')
      await inside('ip', 'link', 'set', 'lo', 'up')
      await inside('ip', 'link', 'set', 'uplink', 'up')
      await atHub('link', 'set', name, 'master', 'switch', 'up')
      return {
        name,
        address,
        netns,
        plug: async (isIn) => void (await atHub('link', 'set', name, isIn ? 'up' : 'down')),
        async lose(share) {
          await quietly('nsenter', `--net=${netns}`, 'nft', 'delete', 'table', 'inet', 'campaign')
          if (share > 0) await inside('nft', lossRules(share))
        },
        async slow(kilobits) {
          await quietly('tc', '-n', hub, 'qdisc', 'del', 'dev', name, 'root')
          await quietly('nsenter', `--net=${netns}`, 'tc', 'qdisc', 'del', 'dev', 'uplink', 'root')
          if (kilobits === null) return
          const bucket = ['root', 'tbf', 'rate', `${kilobits}kbit`, 'burst', '3kb', 'latency', '2000ms']
          await run('tc', ['-n', hub, 'qdisc', 'add', 'dev', name, ...bucket])
          await inside('tc', 'qdisc', 'add', 'dev', 'uplink', ...bucket)
        },
      }
    },
    [Symbol.asyncDispose]: remove,
  }
}

/** A namespace that is kept open by a process is named by that. */
function pidOf(netns: string): string | undefined {
  return /^\/proc\/(\d+)\//.exec(netns)?.[1]
}

function lossRules(share: number): string {
  const dice = `numgen random mod 1000 < ${Math.round(share * 1000)}`
  return `table inet campaign { chain input { type filter hook input priority -300; iifname "uplink" ${dice} drop; }; }`
}

async function quietly(program: string, ...args: string[]): Promise<void> {
  await run(program, args).catch(() => undefined)
}
