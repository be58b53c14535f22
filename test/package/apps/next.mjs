import { configureAudit, workspaceHelpers } from 'daybook/client';
import { withAuditContext } from 'daybook/next';

const audit = configureAudit({ url: process.env.DAYBOOK_URL, apiKey: process.env.DAYBOOK_API_KEY });

export const POST = withAuditContext(audit, { trustedProxies: 1 })(async (_request, ofRequest) => {
  workspaceHelpers(ofRequest).auditLogin('u_next', 'acme');
  return Response.json({ welcome: true });
});
