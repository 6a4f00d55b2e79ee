//! Jobs by the end of their ids. The end, because the beginning of a UUIDv7 is the time: neighbours share it.

use djob::{Client, Filter, JobId, JobRow};

use crate::exit::{Exit, Failure};

/// The shortest end of an id that may stand for it.
const SHORTEST: usize = 4;
/// How many jobs are looked at in one go.
const PAGE: u32 = 1000;
/// How many of the jobs that share an end are named.
const CANDIDATES: usize = 5;

/// The last characters of an id: how tables show it.
pub(crate) fn short(id: JobId) -> String {
    let id = id.to_string();
    id[id.len() - 8..].to_owned()
}

/// The job that `text` stands for.
pub(crate) async fn job(client: &Client, text: &str) -> Result<JobRow, Failure> {
    let found = jobs(client, &[text.to_owned()]).await?;
    found.into_iter().next().ok_or_else(|| none(text))
}

/// The jobs that `texts` stand for, in that order, each once.
pub(crate) async fn jobs(client: &Client, texts: &[String]) -> Result<Vec<JobRow>, Failure> {
    let mut wanted = texts.iter().map(|text| Wanted::new(text)).collect::<Result<Vec<_>, _>>()?;
    for want in &mut wanted {
        if let Some(id) = want.id {
            want.found.extend(client.find(id).await?);
        }
    }
    if wanted.iter().any(|want| want.id.is_none()) {
        look(client, &mut wanted).await?;
    }
    let mut jobs: Vec<JobRow> = Vec::with_capacity(wanted.len());
    for want in wanted {
        let job = want.only()?;
        if jobs.iter().all(|other| other.id != job.id) {
            jobs.push(job);
        }
    }
    Ok(jobs)
}

/// Looks at every job, newest first.
async fn look(client: &Client, wanted: &mut [Wanted]) -> Result<(), Failure> {
    let mut filter = Filter::default();
    filter.limit = PAGE;
    loop {
        let page = client.list(filter.clone()).await?;
        let Some(last) = page.last().map(|row| row.id) else { return Ok(()) };
        for row in page {
            wanted.iter_mut().for_each(|want| want.look_at(&row));
        }
        filter.before = Some(last);
    }
}

/// What somebody typed for an id.
struct Wanted {
    text: String,
    /// Its letters and digits.
    end: String,
    /// The id, if all of it was typed.
    id: Option<JobId>,
    found: Vec<JobRow>,
}

impl Wanted {
    fn new(text: &str) -> Result<Self, Failure> {
        let end: String = text.chars().filter(|c| *c != '-').map(|c| c.to_ascii_lowercase()).collect();
        if end.len() < SHORTEST || end.len() > 32 || !end.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Failure::new(
                Exit::Usage,
                format!(
                    "{text:?} is no job's id: write all of it, or at least its last {SHORTEST} characters (0-9 a-f)"
                ),
            ));
        }
        let id = if end.len() == 32 { end.parse().ok() } else { None };
        Ok(Wanted { text: text.to_owned(), end, id, found: Vec::new() })
    }

    fn look_at(&mut self, row: &JobRow) {
        let ends = || row.id.to_string().replace('-', "").ends_with(&self.end);
        // A job on its way from one room to another can be met twice.
        if self.id.is_none() && ends() && self.found.iter().all(|other| other.id != row.id) {
            self.found.push(row.clone());
        }
    }

    fn only(mut self) -> Result<JobRow, Failure> {
        match self.found.len() {
            1 => self.found.pop().ok_or_else(|| none(&self.text)),
            0 => Err(none(&self.text)),
            several => Err(ambiguous(&self.text, &self.found, several)),
        }
    }
}

fn none(text: &str) -> Failure {
    let why = format!("there is no job {text:?}: see `jobs list`; finished jobs are forgotten after a while");
    Failure::new(Exit::NotFound, why)
}

fn ambiguous(text: &str, found: &[JobRow], several: usize) -> Failure {
    let named = found.iter().take(CANDIDATES).map(|row| format!("{} ({})", row.id, row.kind));
    let mut candidates = named.collect::<Vec<_>>().join(", ");
    if several > CANDIDATES {
        candidates += &format!(" and {} more", several - CANDIDATES);
    }
    Failure::new(
        Exit::Conflict,
        format!("{text:?} is the end of {several} ids, write more of it: {candidates}"),
    )
}
