import { Page } from '../../parts/page.tsx'
import { Tabbed } from '../../parts/tabbed.tsx'
import { ProjectList } from './projects.tsx'
import { UserList } from './users.tsx'

/** Users and projects, where this server keeps them itself; administrators only. */
export function Identity() {
  return (
    <Page title="Users and projects">
      <Tabbed
        label="Users and projects"
        tabs={[
          { id: 'projects', label: 'Projects', content: <ProjectList /> },
          { id: 'users', label: 'Users', content: <UserList /> },
        ]}
      />
    </Page>
  )
}
