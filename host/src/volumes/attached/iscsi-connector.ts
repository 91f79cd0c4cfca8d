import { access, readFile } from 'node:fs/promises'
import type { Connection } from '@gantry/model'
import { ProgramError, type Programs } from '../run-program.ts'
import { type Connector, saidOf, textOf, unlessNoProgram, untilThere } from './connector.ts'

/** A target of a portal, and the number of the volume there. */
export interface IscsiTarget {
  readonly portal: string
  readonly iqn: string
  readonly lun: number
}

/**
 * `iscsi`, by the machine's open-iscsi (iscsiadm(8)); one path, also where the storage offers several. UNTESTED: built on the
 * manual of iscsiadm and on Cinder's connection properties, for want of a kernel with iSCSI.
 */
export function iscsiConnector(programs: Programs): Connector {
  const iscsiadm = (args: readonly string[]) => programs.run('iscsiadm', args)

  const find = async (connection: Connection): Promise<string | null> => {
    const path = devicePath(targetIn(connection))
    return access(path).then(
      () => path,
      () => null,
    )
  }

  return {
    targetOf: (connection) => Object.values(targetIn(connection)).join(' '),
    find: async (connection) => {
      const path = await find(connection)
      return path === null ? null : { kind: 'device', path }
    },
    connect: async (connection, _volume, signal) => {
      for (const step of logInSteps(connection)) await iscsiadm(step).catch(unlessLoggedIn)
      await iscsiadm(rescan(targetIn(connection)))
      return untilThere(() => find(connection), signal)
    },
    refresh: async (connection) => {
      await iscsiadm(rescan(targetIn(connection)))
    },
    disconnect: async (connection, _id, others) => {
      const target = targetIn(connection)
      const isShared = others.some(
        (other) => other.driver_volume_type === 'iscsi' && targetIn(other).iqn === target.iqn,
      )
      // Of a target with several volumes this one is taken away by itself.
      if (isShared) return removeDevice(devicePath(target), programs)
      for (const step of logOutSteps(target)) await iscsiadm(step).catch(unlessGone)
    },
    properties: async () => {
      const text = await readFile('/etc/iscsi/initiatorname.iscsi', 'utf8').catch(() => '')
      const initiator = /^InitiatorName=(.+)$/m.exec(text)?.[1]?.trim()
      return initiator === undefined ? {} : { initiator }
    },
  }
}

/** Pure. */
export function targetIn(connection: Connection): IscsiTarget {
  const told = saidOf(connection, 'target_lun')
  const lun = typeof told === 'string' ? Number(told) : told
  if (typeof lun !== 'number' || !Number.isInteger(lun) || lun < 0)
    throw new Error('The storage did not tell target_lun of the iscsi connection.')
  return { portal: textOf(connection, 'target_portal'), iqn: textOf(connection, 'target_iqn'), lun }
}

/** As udev names it. Pure. */
export function devicePath({ portal, iqn, lun }: IscsiTarget): string {
  return `/dev/disk/by-path/ip-${portal}-iscsi-${iqn}-lun-${lun}`
}

/** Arguments of iscsiadm, one call each. Secrets are in its own database from then on, which root alone may read. Pure. */
export function logInSteps(connection: Connection): string[][] {
  const { portal, iqn } = targetIn(connection)
  const node = ['-m', 'node', '-T', iqn, '-p', portal]
  const set = (name: string, value: string) => [...node, '-o', 'update', '-n', name, '-v', value]
  const chap =
    saidOf(connection, 'auth_method') === 'CHAP'
      ? [
          set('node.session.auth.authmethod', 'CHAP'),
          set('node.session.auth.username', textOf(connection, 'auth_username')),
          set('node.session.auth.password', textOf(connection, 'auth_password')),
        ]
      : []
  return [
    [...node, '--interface', 'default', '-o', 'new'],
    ...chap,
    set('node.startup', 'manual'),
    [...node, '--login'],
  ]
}

/** Pure. */
export function logOutSteps({ portal, iqn }: IscsiTarget): string[][] {
  const node = ['-m', 'node', '-T', iqn, '-p', portal]
  return [
    [...node, '--logout'],
    [...node, '-o', 'delete'],
  ]
}

function rescan({ portal, iqn }: IscsiTarget): string[] {
  return ['-m', 'node', '-T', iqn, '-p', portal, '-R']
}

async function removeDevice(path: string, { run }: Programs): Promise<void> {
  const remove = 'device=$(readlink -e "$1") || exit 0; echo 1 >"/sys/block/${device##*/}/device/delete"'
  await run('sh', ['-c', remove, 'sh', path])
}

/** 15: there is a session already. */
function unlessLoggedIn(error: unknown): void {
  if (!(error instanceof ProgramError && error.exitCode === 15)) throw error
}

/** 21: there is none such. */
function unlessGone(error: unknown): void {
  if (!(error instanceof ProgramError && error.exitCode === 21)) unlessNoProgram(error)
}
