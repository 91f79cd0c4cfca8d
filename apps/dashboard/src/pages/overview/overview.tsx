import { useQuery } from '@tanstack/react-query'
import { quotaQuery } from '../../api/nouns.ts'
import { Failure } from '../../parts/failure.tsx'
import { Page } from '../../parts/page.tsx'

export function Overview() {
  const { data, error, refetch } = useQuery(quotaQuery)
  return (
    <Page title="Overview">
      {error && <Failure error={error} what="The quota could not be read" onRetry={() => void refetch()} />}
      {data && <p>{data.used.containers} containers</p>}
    </Page>
  )
}
