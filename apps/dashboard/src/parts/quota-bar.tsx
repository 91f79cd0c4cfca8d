import { Group, Progress, Stack, Text } from '@mantine/core'
import type { QuotaKind } from '../api/nouns.ts'
import { bytesText, mebibytesText, short } from './amounts.ts'

interface QuotaWords {
  readonly label: string
  readonly amount: (value: number) => string
}

/** How each kind of quota is called and told. */
export const quotaWords: Readonly<Record<QuotaKind, QuotaWords>> = {
  containers: { label: 'Containers', amount: short },
  cpu: { label: 'Processor cores', amount: short },
  memory: { label: 'Memory', amount: mebibytesText },
  disk: { label: 'Disk', amount: (value) => `${short(value)} GiB` },
  imageBytes: { label: 'Images', amount: bytesText },
}
export const quotaKinds = Object.keys(quotaWords) as QuotaKind[]

interface QuotaBarProps {
  readonly kind: QuotaKind
  readonly used: number
  /** -1: there is none. */
  readonly limit: number
  /** What is about to be added. */
  readonly added?: number
}

/** How much of a limit is used, and would be; its colour warns from 80 % on. */
export function QuotaBar({ kind, used, limit, added = 0 }: QuotaBarProps) {
  const { label, amount } = quotaWords[kind]
  const isOver = limit >= 0 && used + added > limit + 1e-9
  const share = (value: number) => (limit > 0 ? Math.min(100, (value / limit) * 100) : 0)
  const colour = isOver ? 'red.7' : share(used + added) >= 80 ? 'orange.7' : 'harbour.7'
  const sum = added > 0 ? `${amount(used)} + ${amount(added)}` : amount(used)
  const told = limit < 0 ? `${sum}, no limit` : `${sum} of ${amount(limit)}`
  return (
    <Stack gap={4}>
      <Group justify="space-between" gap="xs" wrap="nowrap">
        <Text size="sm">{label}</Text>
        <Text size="sm" ta="right" {...(isOver && { c: 'var(--mantine-color-error)', fw: 600 })}>
          {told}
          {isOver && ': too much'}
        </Text>
      </Group>
      <Progress.Root size="md" aria-label={`${label}: ${told}`}>
        <Progress.Section
          value={share(used)}
          color={added > 0 && isOver ? 'harbour.7' : colour}
          aria-label={`${label} in use`}
        />
        {added > 0 && (
          <Progress.Section
            value={Math.min(100 - share(used), share(added))}
            color={isOver ? 'red.7' : colour}
            striped
            aria-label={`${label} about to be added`}
          />
        )}
      </Progress.Root>
    </Stack>
  )
}
