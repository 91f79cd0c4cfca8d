import { useQuery } from '@tanstack/react-query'
import { Text } from '@mantine/core'
import { type QuotaKind, quotaQuery } from '../../api/nouns.ts'
import { Failure } from '../../parts/failure.tsx'
import { QuotaBar } from '../../parts/quota-bar.tsx'
import type { Wanted } from './draft.ts'
import { Section } from './section.tsx'

/** What is left of the quota once these are there, too. */
export function Limits({ wanted }: { readonly wanted: Wanted }) {
  const { data, error, refetch } = useQuery(quotaQuery)
  const added = addedBy(wanted)
  const isOver =
    data && counted.some((kind) => data.limits[kind] >= 0 && data.used[kind] + added[kind] > data.limits[kind] + 1e-9)
  return (
    <Section title="Limits of the project">
      {error && !data && <Failure error={error} what="The quota could not be read" onRetry={() => void refetch()} />}
      {data &&
        counted.map((kind) => (
          <QuotaBar key={kind} kind={kind} used={data.used[kind]} limit={data.limits[kind]} added={added[kind]} />
        ))}
      {isOver === true && (
        <Text size="sm" role="status">
          That is more than the project may have. Take fewer or smaller ones, delete what is not needed, or ask an
          administrator for more.
        </Text>
      )}
    </Section>
  )
}

const counted = ['containers', 'cpu', 'memory', 'disk'] as const satisfies readonly QuotaKind[]

function addedBy({ count, container: { cpu, memory, disk } }: Wanted): Record<(typeof counted)[number], number> {
  const times = (value: number | undefined) => {
    const product = count * (value ?? 0)
    return Number.isFinite(product) && product > 0 ? product : 0
  }
  return { containers: times(1), cpu: times(cpu), memory: times(memory), disk: times(disk) }
}
