import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import type { EngineRequest, EngineTransport } from './engine-transport.ts'
import type { ContainerInspect, Limits } from './engine-types.ts'
import { podmanLimits } from './podman-limits.ts'

const limits: Limits = { NanoCpus: 250_000_000, Memory: 128 << 20, MemorySwap: 128 << 20 }

/** As Podman 4.3 tells it: whatever was changed since, the limits of the creation. */
function inspect(startedAt: string, running = true): ContainerInspect {
  return {
    Id: 'a'.repeat(64),
    State: { Running: running, Paused: false, StartedAt: startedAt },
    HostConfig: { NanoCpus: 500_000_000, CpuQuota: 50_000, CpuPeriod: 100_000, Memory: 64 << 20 },
  } as ContainerInspect
}

function listening(): { asked: EngineRequest[]; transport: EngineTransport } {
  const asked: EngineRequest[] = []
  const stream = async (request: EngineRequest) => {
    asked.push(request)
    return { status: 201, headers: {}, body: Readable.from(['a bare id']) }
  }
  return { asked, transport: { stream } as unknown as EngineTransport }
}

test('what was set counts until the next start, and then again when it was set again', async () => {
  const { asked, transport } = listening()
  const podman = podmanLimits(transport)
  expect(podman.inForce(inspect('1')).HostConfig.Memory).toBe(64 << 20)
  await podman.set(inspect('1'), limits)
  expect(asked).toMatchObject([
    {
      api: 'libpod',
      path: `/containers/${'a'.repeat(64)}/update`,
      body: { cpu: { period: 100_000, quota: 25_000 }, memory: { limit: 128 << 20, swap: 128 << 20 } },
    },
  ])
  expect(podman.inForce(inspect('1')).HostConfig).toMatchObject({
    NanoCpus: 250_000_000,
    CpuQuota: 0,
    Memory: 128 << 20,
  })
  expect(podman.inForce(inspect('2')).HostConfig.Memory).toBe(64 << 20)
  await podman.set(inspect('2'), limits)
  expect(podman.inForce(inspect('2')).HostConfig.Memory).toBe(128 << 20)
})

test('a container that does not run is told nothing before its start', async () => {
  const { asked, transport } = listening()
  const podman = podmanLimits(transport)
  await podman.set(inspect('1', false), limits)
  expect(asked).toEqual([])
  expect(podman.inForce(inspect('1', false)).HostConfig.Memory).toBe(128 << 20)
  expect(podman.inForce(inspect('2')).HostConfig.Memory).toBe(64 << 20)
})

test('no limit is no limit, and a refusal leaves what was in force', async () => {
  const { asked, transport } = listening()
  const podman = podmanLimits(transport)
  await podman.set(inspect('1'), { NanoCpus: 0, Memory: 0, MemorySwap: 0 })
  expect(asked[0]?.body).toEqual({ cpu: { period: 100_000, quota: -1 }, memory: { limit: -1, swap: -1 } })
  const refusing = podmanLimits({ ...transport, stream: () => Promise.reject(new Error('refused')) })
  await expect(refusing.set(inspect('1'), limits)).rejects.toThrow('refused')
  expect(refusing.inForce(inspect('1')).HostConfig.Memory).toBe(64 << 20)
})
