import { describe, expect, test } from 'vitest'
import { bodyCheck } from './body-rules.ts'
import { createRules } from './schemas.ts'
import { toNewContainer, toPatch } from './translate-create.ts'

const check = bodyCheck(createRules, ['image'])
const create = (body: object, minor = 40) => toNewContainer(check({ image: 'busybox', ...body }, minor), minor, false)
const spec = (body: object, minor = 40) => create(body, minor).spec

describe('a create body', () => {
  test('null is as good as nothing', () => {
    const nothing = create({})
    const nulls = {
      name: null,
      cpu: null,
      memory: null,
      disk: null,
      command: null,
      entrypoint: null,
      environment: null,
    }
    expect(create({ ...nulls, labels: null, hints: null, restart_policy: null, healthcheck: null })).toEqual(nothing)
    expect(nothing.spec).toMatchObject({ cpu: 1, memory: 512, command: null, pullPolicy: 'ifnotpresent' })
  })

  test('numbers may be strings', () => {
    expect(spec({ cpu: '0.5', memory: '256', disk: '3' })).toMatchObject({ cpu: 0.5, memory: 256, disk: 3 })
  })

  test('the command is one string until 1.19 and a list from 1.20', () => {
    expect(spec({ command: '"ping" "-c" "4 4"' }, 19).command).toEqual(['ping', '-c', '4 4'])
    expect(spec({ command: ['a b'] }, 20).command).toEqual(['a b'])
    expect(() => spec({ command: 'a b' }, 20)).toThrow(expect.objectContaining({ status: 400 }))
    expect(() => spec({ command: ['a'] }, 19)).toThrow(expect.objectContaining({ status: 400 }))
    expect(spec({ command: [] }).command).toBeNull()
  })

  test('the terminal follows interactive until 1.35', () => {
    expect(spec({ interactive: 'True' }, 35)).toMatchObject({ interactive: true, tty: true })
    expect(spec({ interactive: true }, 36)).toMatchObject({ interactive: true, tty: false })
    expect(spec({ tty: 'true' }, 36)).toMatchObject({ interactive: false, tty: true })
    expect(() => spec({ tty: true }, 35)).toThrow(expect.objectContaining({ status: 400 }))
  })

  test.each([
    ['auto_remove', true, 3],
    ['runtime', 'runc', 5],
    ['hostname', 'a', 9],
    ['healthcheck', { cmd: 'true' }, 22],
    ['exposed_ports', { 80: {} }, 24],
  ])('%s needs its version', (field, value, since) => {
    expect(() => create({ [field]: value }, since - 1)).toThrow(
      expect.objectContaining({ status: 400, kebab: 'invalid-param-in-version' }),
    )
    expect(() => create({ [field]: value }, since)).not.toThrow()
  })

  test.each([
    ['host', 'h', 39],
    ['entrypoint', ['sh'], 40],
  ])('%s is unknown before its version', (field, value, since) => {
    expect(() => create({ [field]: value }, since - 1)).toThrow(
      expect.objectContaining({ status: 400, kebab: 'schema-validation-error' }),
    )
    expect(() => create({ [field]: value }, since)).not.toThrow()
  })

  test('restart policies', () => {
    const policy = (restart_policy: object, more: object = {}) => spec({ restart_policy, ...more }).restartPolicy
    expect(policy({ Name: 'on-failure', MaximumRetryCount: '2' })).toEqual({ name: 'on-failure', maxRetries: 2 })
    expect(policy({ Name: 'no', MaximumRetryCount: 5 })).toEqual({ name: 'no', maxRetries: 0 })
    expect(policy({ Name: 'always', MaximumRetryCount: '0' })).toEqual({ name: 'always', maxRetries: 0 })
    expect(policy({ Name: 'always', MaximumRetryCount: null })).toEqual({ name: 'always', maxRetries: 0 })
    expect(() => policy({ Name: 'unless-stopped', MaximumRetryCount: 1 })).toThrow(/MaximumRetryCount/)
    expect(() => policy({ MaximumRetryCount: 1 })).toThrow(/restart_policy/)
    expect(() => policy({ Name: 'always' }, { auto_remove: true })).toThrow(/auto_remove/)
  })

  test('maps, ports and health checks', () => {
    const made = spec({
      labels: { a: 1, b: 'x', c: null, ['__proto__']: 'p' },
      exposed_ports: { '80': {}, '53/udp': {} },
      healthcheck: { cmd: 'true', interval: '5', retries: 3 },
      environment: { A: '' },
    })
    expect(Object.entries(made.labels)).toEqual([
      ['a', '1'],
      ['b', 'x'],
      ['c', 'null'],
      // A field of its own, not the prototype.
      ['__proto__', 'p'],
    ])
    expect(made.exposedPorts).toEqual(['80/tcp', '53/udp'])
    expect(made.healthcheck).toEqual({ command: 'true', intervalSeconds: 5, timeoutSeconds: 0, retries: 3 })
    expect(made.environment).toEqual({ A: '' })
  })

  test('security groups and ports exclude each other from 1.20, even empty', () => {
    const both = { security_groups: [], exposed_ports: {} }
    expect(() => create(both, 24)).toThrow(expect.objectContaining({ status: 400 }))
    expect(() => create({ security_groups: [] })).not.toThrow()
  })

  test('nets become networks with their addresses, or ports', () => {
    const nets = [
      { network: 'n', 'v4-fixed-ip': '10.0.0.9', 'v6-fixed-ip': 'fd00::9' },
      { network: 'm', 'v4-fixed-ip': '' },
      { port: 'p' },
    ]
    expect(create({ nets }).nets).toEqual([
      { network: 'n', addresses: ['10.0.0.9', 'fd00::9'] },
      { network: 'm', addresses: [] },
      { port: 'p' },
    ])
    expect(create({ nets: null }).nets).toEqual([])
  })

  test('mounts are volumes, new volumes or files', () => {
    const mounts = [
      { source: 'v', destination: '/v' },
      { size: '3', destination: '/n', type: 'volume' },
      { type: 'bind', source: 'aGVsbG8=', destination: '/etc/f' },
    ]
    expect(create({ mounts }).mounts).toEqual([
      { kind: 'volume', source: 'v', destination: '/v', readOnly: false },
      { kind: 'new', size: 3, destination: '/n', readOnly: false },
      { kind: 'file', content: 'aGVsbG8=', destination: '/etc/f' },
    ])
    const twice = [
      { source: 'a', destination: '/v' },
      { source: 'b', destination: '/v/' },
    ]
    expect(() => create({ mounts: twice })).toThrow(expect.objectContaining({ status: 400 }))
  })

  test('security groups are named once, and an empty list means the default one', () => {
    expect(create({ security_groups: ['a', 'b', 'a'] }).groups).toEqual(['a', 'b'])
    expect(create({ security_groups: [] })).not.toHaveProperty('groups')
  })

  test('nobody is privileged', () => {
    expect(() => create({ privileged: true })).toThrow(expect.objectContaining({ code: 'policy.forbidden' }))
    expect(() => create({ privileged: 'True' })).toThrow(expect.objectContaining({ code: 'policy.forbidden' }))
    expect(create({ privileged: false }).spec.privileged).toBe(false)
  })
})

test('a patch holds only what was given', () => {
  expect(toPatch({})).toEqual({})
  expect(toPatch({ name: 'ab', cpu: '2', memory: 64, auto_heal: 'True' })).toEqual({
    name: 'ab',
    cpu: 2,
    memory: 64,
    autoHeal: true,
  })
  expect(toPatch({ name: null, cpu: null })).toEqual({})
})
