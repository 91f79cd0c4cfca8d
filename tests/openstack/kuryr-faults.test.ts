import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { allOf, firstOf } from '@gantry/openstack'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type KuryrWorld, kuryrWorld } from './fixtures/kuryr-world.ts'
import { eventually } from './fixtures/test-cloud.ts'

/** Published ports of `gantry kuryr`, and what is left when it, an engine or Neutron's patience dies. */

let world: KuryrWorld
beforeAll(async () => {
  world = await kuryrWorld()
})
afterAll(() => world?.end())
afterEach(() => world?.clear())

describe('published ports', () => {
  const run = promisify(execFile)
  const serving = ['busybox', 'sh', '-c', 'mkdir /w && echo hello > /w/index.html && exec httpd -f -p 80 -h /w']
  const fetched = (url: string) =>
    run('curl', ['-s', '-m', '2', url]).then(
      ({ stdout }) => stdout.includes('hello'),
      () => false,
    )

  test('are on a floating IP where a router leads outside, which goes with the last of them', async () => {
    const { engine, neutron, context, own, subnetsNow, nothingLeft, create } = world
    await create('--subnet', '10.36.0.0/24', 'routed')
    const [subnet] = await subnetsNow()
    const outside = await firstOf(neutron.networks.list({ 'router:external': true }, context()))
    const router = await neutron.routers.create(
      { ...own(), name: 'out', external_gateway_info: { network_id: outside?.id ?? '' } },
      context(),
    )
    await neutron.addInterface(router.id, { subnet_id: subnet?.id ?? '' }, context())
    await engine.docker('run', '-d', '--name', 'web', '--net=routed', '-p', '8080:80', ...serving)
    const [floating] = await allOf(neutron.floatingIps.list(own(), context()))
    await eventually('the page', () => fetched(`http://${floating?.floating_ip_address}:8080/`), 90)
    await expect(
      engine.docker('run', '-d', '--name', 'twin', '--net=routed', '-p', '8080:80', ...serving),
    ).rejects.toThrow('is taken')
    await engine.docker('rm', '-f', 'web', 'twin')
    await eventually(
      'no floating IP',
      async () => (await allOf(neutron.floatingIps.list(own(), context()))).length === 0,
    )
    await neutron.removeInterface(router.id, { subnet_id: subnet?.id ?? '' }, context())
    await neutron.routers.remove(router.id, context())
    await engine.docker('network', 'rm', 'routed')
    await nothingLeft()
  })

  test('are on this machine where none does', async () => {
    const { engine, nothingLeft, create } = world
    await create('--subnet', '10.37.0.0/24', 'lonely')
    await engine.docker('run', '-d', '--name', 'web', '--net=lonely', '-p', '18080:80', ...serving)
    await eventually('the page', () => fetched('http://127.0.0.1:18080/'))
    expect(await engine.docker('exec', 'web', 'ip', 'addr')).toContain('10.37.0.')
    await engine.docker('rm', '-f', 'web')
    await engine.docker('network', 'rm', 'lonely')
    await nothingLeft()
  })
})

describe('when things die', () => {
  test('a restarted plugin knows everything', async () => {
    const { engine, kuryr, portOf, nothingLeft, create, box, addressOf, pings } = world
    await create('--subnet', '10.40.0.0/24', 'kept')
    await box(engine, 'one', '--net=kept')
    await portOf(engine, 'one')
    await kuryr.stop()
    expect(existsSync('/run/docker/plugins/kuryr.sock')).toBe(false)
    await kuryr.start()
    await box(engine, 'two', '--net=kept')
    const address = await addressOf(engine, 'two')
    await eventually('a ping', () => pings(engine, 'one', address))
    await kuryr.kill9()
    await kuryr.start()
    await engine.docker('rm', '-f', 'one', 'two')
    await engine.docker('network', 'rm', 'kept')
    await nothingLeft()
  })

  test('kill -9 in the middle of calls: the call is refused or repeated, can be made again, and nothing is left at the end', async () => {
    const { engine, kuryr, nothingLeft, create, box } = world
    /** Docker 20 repeats a call that was cut off without its contents, so what was asked may have to be asked again. */
    const killedIn = async (work: () => Promise<unknown>, delay: number) => {
      const ended = work().then(
        () => true,
        () => false,
      )
      await new Promise((resolve) => setTimeout(resolve, delay))
      await kuryr.kill9()
      await kuryr.start()
      return ended
    }
    for (const delay of [50, 300, 800]) {
      const [net, name] = [`k${delay}`, `b${delay}`]
      const creating = () => create('--subnet', '10.41.0.0/24', net)
      if (!(await killedIn(creating, delay))) await creating()
      const starting = () => box(engine, name, `--net=${net}`)
      if (!(await killedIn(starting, delay))) await engine.docker('start', name)
      expect(await engine.docker('exec', name, 'ip', 'addr')).toContain('10.41.0.')
      await killedIn(() => engine.docker('rm', '-f', name), delay / 2)
      await eventually('no container', async () => !(await engine.docker('ps', '-aq', '--filter', `name=${name}`)))
      await engine.docker('network', 'rm', net)
    }
    await nothingLeft()
  })

  test('an engine that is killed, and one that is restarted, keep their containers on the network', async () => {
    const { engine, portsNow, nothingLeft, create, box, addressOf, pings } = world
    await create('--subnet', '10.42.0.0/24', 'alive')
    await box(engine, 'one', '--net=alive')
    await box(engine, 'two', '--net=alive')
    const address = await addressOf(engine, 'two')
    await eventually('a ping', () => pings(engine, 'one', address))
    await engine.kill9()
    await engine.restart()
    await eventually('a ping after a kill', () => pings(engine, 'one', address))
    await engine.restart()
    await eventually('a ping after a restart', () => pings(engine, 'one', address))
    expect(await portsNow()).toHaveLength(2)
    await box(engine, 'three', '--net=alive')
    await engine.docker('rm', '-f', 'one', 'two', 'three')
    await engine.docker('network', 'rm', 'alive')
    await nothingLeft()
  })

  test('network rm says done even if Neutron refuses; what is left goes when it can', async () => {
    const { own, engine, neutron, context, networksNow, nothingLeft, create } = world
    await create('--subnet', '10.43.0.0/24', 'stuck')
    const [network] = await networksNow()
    const guest = await neutron.ports.create({ ...own(), network_id: network?.id ?? '' }, context())
    await engine.docker('network', 'rm', 'stuck')
    expect(await networksNow()).toHaveLength(1)
    await neutron.ports.remove(guest.id, context())
    await nothingLeft()
  })
})
