import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { unmountBelow } from '../../../apps/cli/src/local/engine/unmount.ts'

const prefix = 'gantry-campaign-'

/** Ends and removes what campaigns that were killed left: their folders are named by their processes. */
export async function sweepCampaigns(): Promise<void> {
  for (const name of readdirSync('/tmp').filter((entry) => entry.startsWith(prefix))) {
    const tag = name.slice(prefix.length)
    if (existsSync(`/proc/${Number.parseInt(tag, 36)}`)) continue
    const folder = join('/tmp', name)
    for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
      if (commandOf(pid).includes(`${folder}/`)) spawnSync('kill', ['-9', pid])
    }
    for (const netns of existsSync('/run/netns') ? readdirSync('/run/netns') : []) {
      if (netns.startsWith(`gc${tag}-`)) spawnSync('ip', ['netns', 'del', netns])
    }
    spawnSync('ip', ['link', 'del', `gc${tag}`])
    unmountBelow(folder)
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}
