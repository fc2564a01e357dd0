// How the server under test delivers: run sets it up so, and says so in E2E_DELIVERY.

export const delivery = process.env.E2E_DELIVERY ?? 'notify';
