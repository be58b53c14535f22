import { Hono } from 'hono';
import { createAudit, workspaceHelpers } from 'daybook/client';
import { auditContext } from 'daybook/hono';

const app = new Hono();
app.use(async (c, next) => auditContext(auditOf(c.env))(c, next));
app.post('/login', (c) => {
  workspaceHelpers(c.get('audit')).auditLogin('u_worker', 'acme');
  return c.text('welcome');
});
export default app;

let audit;
function auditOf(env) {
  audit ??= createAudit({ url: env.DAYBOOK_URL, apiKey: env.DAYBOOK_API_KEY });
  return audit;
}
