import { Stack } from '@mantine/core'
import type { QuotaView } from '../../api/nouns.ts'
import { QuotaBar, quotaKinds } from '../../parts/quota-bar.tsx'

/** A bar for each kind of quota. */
export function QuotaBars({ quota: { used, limits } }: { readonly quota: QuotaView }) {
  return (
    <Stack gap="sm">
      {quotaKinds.map((kind) => (
        <QuotaBar key={kind} kind={kind} used={used[kind]} limit={limits[kind]} />
      ))}
    </Stack>
  )
}
