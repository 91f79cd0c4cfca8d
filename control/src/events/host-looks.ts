import type { Clock } from '@gantry/kernel'
import type { Host, HostId } from '@gantry/model'

/** How often hosts are looked at, once for all who want to know, and only while somebody does. Milliseconds. */
const everyMs = 2000
/** In one event. Those beyond come with the next look. */
const mostHosts = 500

/** What hosts are and carry changes with every placement and every line that breaks: too often to be written down, so it is looked at. */
export interface HostLooks {
  /** For one reader: hosts that are not any more what it was told last; at first all of them, as many as one event holds at a time. */
  reader(): () => Promise<Host[]>
}

/** `list` answers all hosts as they are now. */
export function hostLooks(list: () => Promise<readonly Host[]>, clock: Clock): HostLooks {
  let last: { readonly at: number; readonly hosts: Promise<readonly Look[]> } | undefined
  const look = () => {
    const now = clock.now()
    if (last === undefined || now - last.at >= everyMs)
      last = { at: now, hosts: list().then((hosts) => hosts.map(lookAt)) }
    return last
  }
  return {
    reader() {
      const told = new Map<HostId, string>()
      let seen = Number.NEGATIVE_INFINITY
      return async () => {
        const { at, hosts } = look()
        if (at === seen) return []
        seen = at
        const all = await hosts
        const there = new Set(all.map(({ host }) => host.id))
        for (const id of told.keys()) if (!there.has(id)) told.delete(id)
        const news = all.filter(({ host, text }) => told.get(host.id) !== text).slice(0, mostHosts)
        for (const { host, text } of news) told.set(host.id, text)
        return news.map(({ host }) => host)
      }
    },
  }
}

interface Look {
  readonly host: Host
  /** All of it but what moves with every sign of life. */
  readonly text: string
}

function lookAt(host: Host): Look {
  const { lastSeenAt: _seen, updatedAt: _updated, ...rest } = host
  return { host, text: JSON.stringify(rest) }
}
