import express from 'express';
import pino from 'pino';
import { auditLogin, configureAudit } from 'daybook/client';

configureAudit({ url: process.env.DAYBOOK_URL, apiKey: process.env.DAYBOOK_API_KEY, logger: pino() });

const app = express();
app.post('/login', (request, response) => {
  auditLogin('u_express', 'acme', request.ip, request.get('User-Agent'));
  response.send('welcome');
});

const server = app.listen(0, '127.0.0.1', () => console.log(`listening on ${server.address().port}`));
