/** Flat quotas of a project: count, cores, MiB, GiB, bytes in the image store; -1 means no limit. */
export const quotaResources = ['containers', 'cpu', 'memory', 'disk', 'imageBytes'] as const
export type QuotaResource = (typeof quotaResources)[number]
export type QuotaMap = Readonly<Record<QuotaResource, number>>

/** Zun's own defaults, and 100 GiB of images. */
export const defaultQuotas: QuotaMap = { containers: 40, cpu: 20, memory: 51200, disk: 100, imageBytes: 100 * 2 ** 30 }

export const nothingUsed: QuotaMap = { containers: 0, cpu: 0, memory: 0, disk: 0, imageBytes: 0 }

export interface QuotaExcess {
  readonly resource: QuotaResource
  readonly limit: number
  readonly used: number
  readonly asked: number
}

/** The first resource that `asked` more would take over its limit; null when it fits. Pure. */
export function quotaExcess(limits: QuotaMap, used: QuotaMap, asked: QuotaMap): QuotaExcess | null {
  for (const resource of quotaResources) {
    const limit = limits[resource]
    // Asking for nothing, or giving back, is always allowed, even when a limit was lowered below what is used.
    if (limit < 0 || asked[resource] <= 0) continue
    if (used[resource] + asked[resource] > limit + 1e-9) {
      return { resource, limit, used: used[resource], asked: asked[resource] }
    }
  }
  return null
}
