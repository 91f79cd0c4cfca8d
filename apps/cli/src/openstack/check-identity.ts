import { existsSync } from 'node:fs'
import type { TokenInfo } from '@gantry/openstack'
import type { AdminCloud } from './admin-cloud.ts'
import { bad, type Finding, note, ok } from './finding.ts'
import { settingsIn } from './settings-file.ts'

/** More and a token is over here sooner than Keystone thinks. Milliseconds. */
const mostSkewMs = 60_000

export async function settingsFinding(file: string): Promise<Finding> {
  if (!existsSync(file)) {
    return bad(
      `There is no ${file}, so the server would keep its own users, networks and images. gantry openstack register writes it.`,
    )
  }
  const found = await settingsIn(file)
  if (found && (found.mode & 0o077) !== 0) {
    return bad(`${file} holds a password and can be read by other users of this machine: chmod 600 ${file}.`)
  }
  return ok(`${file} says how to reach the cloud, and nobody else can read it`)
}

/** `info` is of a token that was taken just now. */
export function logInFindings({ settings }: AdminCloud, info: TokenInfo, now: number): Finding[] {
  const names = new Set((info.roles ?? []).map(({ name }) => name.toLowerCase()))
  const missing = ['admin', 'service'].filter((name) => !names.has(name))
  const who = `user ${info.user.name} in project ${info.project?.name ?? '(none)'}`
  const roles =
    missing.length === 0
      ? ok(`The service user has the roles admin and service`)
      : bad(`The ${who} lacks the role ${missing.join(' and ')}: run gantry openstack register again.`)
  const skew = now - Date.parse(info.issued_at)
  const seconds = Math.round(skew / 1000)
  const clock =
    Math.abs(skew) <= mostSkewMs
      ? ok('The clocks of this machine and of Keystone agree')
      : bad(
          `The clock of this machine is ${Math.abs(seconds)} s ${seconds > 0 ? 'ahead of' : 'behind'} Keystone's: set both by NTP.`,
        )
  const region =
    settings.region === undefined
      ? [note('openstack.yaml names no region_name; in a cloud with several regions any of them may be taken.')]
      : []
  return [ok(`Keystone at ${settings.authUrl} lets in ${who}`), roles, clock, ...region]
}
