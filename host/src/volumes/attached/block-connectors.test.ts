import { mkdtemp, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Connection } from '@gantry/model'
import { describe, expect, test } from 'vitest'
import { ProgramError, type Programs } from '../run-program.ts'
import { devicePath, iscsiConnector, logInSteps, logOutSteps, targetIn } from './iscsi-connector.ts'
import { connectArguments, deviceOf } from './nvme-connector.ts'
import { configuration, deviceIn, mapArguments, rbdConnector } from './rbd-connector.ts'
import { shareOptions } from './share-connector.ts'

/** What programs are told. That they do what their manuals say has not been tried here. */
describe('iSCSI', () => {
  const connection = {
    driver_volume_type: 'iscsi',
    target_portal: '192.0.2.1:3260',
    target_iqn: 'iqn.2010-10.org.openstack:volume-1',
    target_lun: 1,
    auth_method: 'CHAP',
    auth_username: 'user',
    auth_password: 'secret',
  } as Connection
  const node = ['-m', 'node', '-T', 'iqn.2010-10.org.openstack:volume-1', '-p', '192.0.2.1:3260']

  test('logs in with the password that it is told, and out again', () => {
    const set = (name: string, value: string) => [...node, '-o', 'update', '-n', name, '-v', value]
    expect(logInSteps(connection)).toEqual([
      [...node, '--interface', 'default', '-o', 'new'],
      set('node.session.auth.authmethod', 'CHAP'),
      set('node.session.auth.username', 'user'),
      set('node.session.auth.password', 'secret'),
      set('node.startup', 'manual'),
      [...node, '--login'],
    ])
    expect(logOutSteps(targetIn(connection))).toEqual([
      [...node, '--logout'],
      [...node, '-o', 'delete'],
    ])
    expect(devicePath(targetIn(connection))).toBe(
      '/dev/disk/by-path/ip-192.0.2.1:3260-iscsi-iqn.2010-10.org.openstack:volume-1-lun-1',
    )
  })

  test('a machine without the program is told to get it, and nothing is left', async () => {
    const { programs } = failing(new ProgramError('iscsiadm', null, 'there is no program iscsiadm'))
    const connector = iscsiConnector(programs)
    await expect(connector.connect(connection, { id: 'v1', readOnly: false })).rejects.toThrow('no program iscsiadm')
    await connector.disconnect(connection, 'v1', [])
  })

  test('there being a session is no failure to log in, and no session none to log out', async () => {
    const { programs, asked } = failing(new ProgramError('iscsiadm', 21, 'No matching sessions found'))
    await iscsiConnector(programs).disconnect(connection, 'v1', [])
    expect(asked).toHaveLength(2)
  })

  test('a connection without a number is refused', () => {
    expect(() => targetIn({ ...connection, target_lun: null })).toThrow('did not tell target_lun')
  })
})

describe('Ceph', () => {
  const connection = {
    driver_volume_type: 'rbd',
    name: 'volumes/volume-1',
    hosts: ['192.0.2.1', '2001:db8::2'],
    ports: ['6789', '3300'],
    auth_username: 'cinder',
    keyring: '[client.cinder]\n\tkey = c2VjcmV0\n',
  } as Connection

  test('what a client must know is written', () => {
    expect(configuration(connection, '/keys/v1')).toBe(
      '[global]\nmon_host = 192.0.2.1:6789,[2001:db8::2]:3300\nkeyring = /keys/v1\n',
    )
    expect(mapArguments(connection, { type: 'krbd', conf: '/conf/v1', readOnly: true })).toEqual(
      'device map --device-type krbd --conf /conf/v1 --id cinder --read-only volumes/volume-1'.split(' '),
    )
  })

  test('the device of an image is found in what rbd says', () => {
    const list = JSON.stringify([
      { id: '0', pool: 'volumes', namespace: '', name: 'volume-2', snap: '-', device: '/dev/rbd0' },
      { id: '1', pool: 'volumes', namespace: '', name: 'volume-1', snap: '-', device: '/dev/rbd1' },
    ])
    expect(deviceIn(list, 'volumes/volume-1')).toBe('/dev/rbd1')
    expect(deviceIn('', 'volumes/volume-1')).toBe(null)
  })

  test('keys are readable by root alone, and are gone with the volume', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gantry-ceph-'))
    const { programs } = failing(new ProgramError('rbd', 1, 'no cluster'))
    const connector = rbdConnector(folder, programs)
    await expect(connector.connect(connection, { id: 'v1', readOnly: false })).rejects.toThrow('no cluster')
    expect((await stat(join(folder, 'v1.keyring'))).mode & 0o777).toBe(0o600)
    expect(await readFile(join(folder, 'v1.keyring'), 'utf8')).toContain('c2VjcmV0')
    await connector.disconnect(connection, 'v1', [])
    await expect(stat(join(folder, 'v1.keyring'))).rejects.toThrow('ENOENT')
    await rm(folder, { recursive: true })
  })
})

describe('NVMe over TCP', () => {
  test('one of the portals is connected with', () => {
    const connection = {
      driver_volume_type: 'nvmeof',
      target_nqn: 'nqn.2014-08.org:1',
      portals: [['192.0.2.1', 4420, 'tcp']],
    } as Connection
    const said = 'connect --transport tcp --traddr 192.0.2.1 --trsvcid 4420 --nqn nqn.2014-08.org:1'.split(' ')
    expect(connectArguments(connection)).toEqual(said)
    const other = { ...connection, portals: [['192.0.2.1', 4420, 'RoCEv2']] } as Connection
    expect(() => connectArguments(other)).toThrow('The host cannot reach NVMe over RoCEv2; it can over TCP.')
  })

  test('the disk of a subsystem is found by its UUID', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gantry-nvme-'))
    await mkdir(join(folder, 'nvme3', 'nvme3c3n1'), { recursive: true })
    await writeFile(join(folder, 'nvme3', 'subsysnqn'), 'nqn.1\n')
    await writeFile(join(folder, 'nvme3', 'nvme3c3n1', 'uuid'), 'aa-bb\n')
    expect(await deviceOf(folder, 'nqn.1', 'aa-bb')).toBe('/dev/nvme3n1')
    expect(await deviceOf(folder, 'nqn.1', 'cc')).toBe(null)
    expect(await deviceOf(folder, 'nqn.2', null)).toBe(null)
    await rm(folder, { recursive: true })
  })
})

test('a share is mounted as its protocol has it', () => {
  const share = (more: object) => ({ driver_volume_type: 'share', export: 'a:/b', ...more }) as Connection
  expect(shareOptions(share({ protocol: 'nfs' }), '/key')).toEqual(['nfs', 'nodev'])
  expect(shareOptions(share({ protocol: 'CEPHFS', user: 'gantry-h1', key: 'k' }), '/key')).toEqual([
    'ceph',
    'nodev',
    'name=gantry-h1',
    'secretfile=/key',
  ])
  expect(() => shareOptions(share({ protocol: 'CIFS' }), '/key')).toThrow(/protocol CIFS; it can mount: NFS/)
})

/** A machine whose programs all fail that way. */
function failing(error: Error) {
  const asked: string[][] = []
  const run = async (program: string, args: readonly string[]): Promise<string> => {
    asked.push([program, ...args])
    throw error
  }
  const programs: Programs = { run, runScript: async (script) => run(script, []), allEnded: async () => {} }
  return { programs, asked }
}
