//! What the processes of a fleet share: a prepared database and a broker.

use crate::installation::Installation;
use crate::node::Node;
use bw_testkit::{nats, postgres, sqs};
use std::net::SocketAddr;

/// A database and a broker.
pub struct Fleet {
    pub postgres: postgres::Server,
    database: String,
    pub broker: Broker,
    pub installation: Installation,
}

/// What carries the jobs.
pub enum Broker {
    Nats(nats::Server),
    Sqs(#[expect(dead_code, reason = "it lives as long as the fleet")] sqs::Server),
}

impl Fleet {
    /// With NATS and a prepared database.
    pub async fn with_nats() -> Self {
        let nats = nats::Server::start().await;
        let installation = Installation::new().variable("NATS_URL", &nats.url());
        Fleet::prepared(Broker::Nats(nats), installation).await
    }

    /// With an emulator of SQS, as the original was deployed.
    pub async fn with_sqs() -> Self {
        let server = sqs::Server::start().await;
        let url = sqs::Server::queue_url(server.address(), "jobs");
        let endpoint = format!("http://{}", server.address());
        make_queue(server.address(), "jobs").await;
        let installation = Installation::new()
            .variable("SQS_QUEUE_URL", &url)
            .variable("AWS_REGION", "eu-central-1")
            .variable("AWS_ENDPOINT_URL_SQS", &endpoint)
            .variable("AWS_ACCESS_KEY_ID", "test")
            .variable("AWS_SECRET_ACCESS_KEY", "test");
        Fleet::prepared(Broker::Sqs(server), installation).await
    }

    async fn prepared(broker: Broker, installation: Installation) -> Self {
        let postgres = postgres::Server::start().expect("PostgreSQL starts");
        let database = postgres.create_database();
        let installation = installation.variable("DATABASE_URL", &postgres.url(&database));
        let fleet = Fleet { postgres, database, broker, installation };
        for _ in 0..2 {
            let done = fleet.installation.ended("db-init", &[]).await;
            assert_eq!(done.status, Some(0), "{done:?}");
            assert!(done.stdout.starts_with("[DB INIT] monitors table ensured\n"), "{done:?}");
        }
        fleet
    }

    /// Starts one process.
    pub async fn start(&self, role: &str) -> Node {
        self.installation.start_as(role, &[]).await
    }

    /// Starts one process that reaches the database at another address.
    pub async fn start_by_way_of(&self, role: &str, address: SocketAddr) -> Node {
        let direct = format!("127.0.0.1:{}", self.postgres.port());
        let url = self.postgres.url(&self.database).replace(&direct, &address.to_string());
        assert!(url.contains(&address.to_string()), "{url}");
        self.installation.start_as(role, &[("DATABASE_URL", &url)]).await
    }

    /// The database's address.
    pub fn database(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.postgres.port()))
    }
}

/// Makes a queue as a person would with the service's own tools.
async fn make_queue(address: SocketAddr, name: &str) {
    use crate::client::{Client, Request};
    let request = Request::new("POST", "/")
        .json(&serde_json::json!({ "QueueName": name }))
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-target", "AmazonSQS.CreateQueue")
        .header("authorization", "AWS4-HMAC-SHA256 Credential=test/20261121/eu-central-1/sqs/aws4_request, SignedHeaders=host, Signature=0");
    Client::of(&format!("http://{address}")).send(request).await.expect(200);
}
