import { Loader, NumberInput } from '@mantine/core'
import { queryOptions, useQuery } from '@tanstack/react-query'
import { call } from '../../api/client.ts'
import { patch, remove } from '../../api/lists.ts'
import type { QuotaKind, QuotaView } from '../../api/nouns.ts'
import { FormDialog, numberOf } from '../../parts/dialogs.tsx'
import { Failure } from '../../parts/failure.tsx'
import type { Deed } from '../../parts/listing.tsx'
import { quotaKinds } from '../../parts/quota-bar.tsx'
import { QuotaBars } from './quota-bars.tsx'

function quotaOf(project: string) {
  return queryOptions({
    queryKey: ['quota', project],
    queryFn: ({ signal }) => call<QuotaView>(`/v1/quotas/${encodeURIComponent(project)}`, { signal }),
  })
}

export function ProjectQuota({ project }: { readonly project: string }) {
  const { data, error } = useQuery(quotaOf(project))
  if (error) return <Failure error={error} what="The quota could not be read" />
  return data ? <QuotaBars quota={data} /> : <Loader size="sm" aria-label="Loading the quota" />
}

export const deeds: readonly Deed<{ readonly id: string; readonly name: string }>[] = [
  {
    label: 'Change the quota',
    form: ({ id, name }, close) => <ChangeQuota project={id} name={name} onClose={close} />,
  },
  {
    label: 'Back to the defaults',
    isDangerous: true,
    question: () => 'What runs already runs on, even if it is more than the defaults allow.',
    act: ({ id }) => remove(`/v1/quotas/${encodeURIComponent(id)}`),
  },
]

const labels: Readonly<Record<QuotaKind, string>> = {
  containers: 'Containers',
  cpu: 'Processor cores',
  memory: 'Memory, MiB',
  disk: 'Disk, GiB',
  imageBytes: 'Images, bytes',
}

interface ChangeQuotaProps {
  readonly project: string
  readonly name: string
  readonly onClose: () => void
}

function ChangeQuota({ project, name, onClose }: ChangeQuotaProps) {
  const { data } = useQuery(quotaOf(project))
  const change = (form: FormData) => {
    const limits = quotaKinds.map((kind) => [kind, numberOf(form, kind)] as const)
    const given = limits.filter(([kind, limit]) => limit !== undefined && limit !== data?.limits[kind])
    if (given.length === 0) throw new Error('Nothing was changed.')
    return patch(`/v1/quotas/${encodeURIComponent(project)}`, Object.fromEntries(given))
  }
  return (
    <FormDialog
      title={`Quota of ${name}`}
      verb="Change"
      nouns={['quota']}
      onClose={onClose}
      onSubmit={async (form) => change(form)}
    >
      {data ? (
        quotaKinds.map((kind) => (
          <NumberInput key={kind} name={kind} label={labels[kind]} min={-1} defaultValue={data.limits[kind]} />
        ))
      ) : (
        <Loader aria-label="Loading the quota" />
      )}
      <span>-1 means no limit.</span>
    </FormDialog>
  )
}
