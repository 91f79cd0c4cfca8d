import { Anchor } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { Empty } from '../parts/empty.tsx'
import { Page } from '../parts/page.tsx'

export function NotFound() {
  return (
    <Page title="Not found">
      <Empty title="There is no such page">
        The address leads nowhere, or to something that is gone.{' '}
        <Anchor component={Link} to="/">
          Back to the overview
        </Anchor>
        .
      </Empty>
    </Page>
  )
}
