import type { Boot } from '@gantry/control'
import type { InstanceId } from '@gantry/model'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { userData } from './user-data.ts'

const boot: Boot = {
  id: 'id' as InstanceId,
  name: 'gantry-1',
  projectId: null,
  token: 'gj1.secret',
  tokenId: 'i-1',
  labels: { 'gantry.containers': '10' },
}
const usual = { flavor: 'f', image: 'i', networks: 'auto' as const, join: ['10.0.0.1:9702', '10.0.0.2:9702'] }

interface Told {
  readonly write_files: readonly { readonly path: string; readonly permissions: string; readonly content: string }[]
  readonly runcmd: readonly (readonly string[])[]
}

test('the token is in a file of root’s alone, and the service reads it there', () => {
  const text = userData(boot, usual)
  expect(text.startsWith('#cloud-config\n')).toBe(true)
  const [token, unit] = (parse(text) as Told).write_files
  expect(token).toEqual({ path: '/etc/gantry/join-token', permissions: '0600', content: 'gj1.secret\n' })
  expect(unit?.content).not.toContain('gj1.secret')
  expect(/^ExecStart=(.*)$/m.exec(unit?.content ?? '')?.[1]).toBe(
    '/usr/local/bin/gantry agent --join 10.0.0.1:9702,10.0.0.2:9702 --name gantry-1 ' +
      '--token-file /etc/gantry/join-token --label gantry.containers=10',
  )
})

test('the operator’s lines come first, as they are, and his way to start the agent', () => {
  const setup = [`echo "it's: 10 %" > /etc/x`]
  const text = userData(boot, { ...usual, setup, agent: '/opt/gantry agent', agent_options: ['--starts', '4'] })
  const { runcmd, write_files: files } = parse(text) as Told
  expect(runcmd).toEqual([
    ['sh', '-c', setup[0]],
    ['sh', '-c', 'systemctl daemon-reload'],
    ['sh', '-c', 'systemctl enable --now gantry-agent.service'],
  ])
  expect(files[1]?.content).toMatch(/^ExecStart=\/opt\/gantry agent --join .* --starts 4$/m)
})
