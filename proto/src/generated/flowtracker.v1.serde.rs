impl serde::Serialize for Actor {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.entity != 0 {
            len += 1;
        }
        if self.pid != 0 {
            len += 1;
        }
        if !self.process.is_empty() {
            len += 1;
        }
        if !self.identity.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.Actor", len)?;
        if self.entity != 0 {
            let v = Entity::try_from(self.entity)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.entity)))?;
            struct_ser.serialize_field("entity", &v)?;
        }
        if self.pid != 0 {
            struct_ser.serialize_field("pid", &self.pid)?;
        }
        if !self.process.is_empty() {
            struct_ser.serialize_field("process", &self.process)?;
        }
        if !self.identity.is_empty() {
            struct_ser.serialize_field("identity", &self.identity)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Actor {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "entity",
            "pid",
            "process",
            "identity",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Entity,
            Pid,
            Process,
            Identity,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "entity" => Ok(GeneratedField::Entity),
                            "pid" => Ok(GeneratedField::Pid),
                            "process" => Ok(GeneratedField::Process),
                            "identity" => Ok(GeneratedField::Identity),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Actor;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.Actor")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Actor, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut entity__ = None;
                let mut pid__ = None;
                let mut process__ = None;
                let mut identity__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Entity => {
                            if entity__.is_some() {
                                return Err(serde::de::Error::duplicate_field("entity"));
                            }
                            entity__ = Some(map_.next_value::<Entity>()? as i32);
                        }
                        GeneratedField::Pid => {
                            if pid__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pid"));
                            }
                            pid__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Process => {
                            if process__.is_some() {
                                return Err(serde::de::Error::duplicate_field("process"));
                            }
                            process__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Identity => {
                            if identity__.is_some() {
                                return Err(serde::de::Error::duplicate_field("identity"));
                            }
                            identity__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(Actor {
                    entity: entity__.unwrap_or_default(),
                    pid: pid__.unwrap_or_default(),
                    process: process__.unwrap_or_default(),
                    identity: identity__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.Actor", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for After {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.epoch != 0 {
            len += 1;
        }
        if self.seq != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.After", len)?;
        if self.epoch != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("epoch", ToString::to_string(&self.epoch).as_str())?;
        }
        if self.seq != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("seq", ToString::to_string(&self.seq).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for After {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "epoch",
            "seq",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Epoch,
            Seq,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "epoch" => Ok(GeneratedField::Epoch),
                            "seq" => Ok(GeneratedField::Seq),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = After;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.After")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<After, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut epoch__ = None;
                let mut seq__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Epoch => {
                            if epoch__.is_some() {
                                return Err(serde::de::Error::duplicate_field("epoch"));
                            }
                            epoch__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Seq => {
                            if seq__.is_some() {
                                return Err(serde::de::Error::duplicate_field("seq"));
                            }
                            seq__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(After {
                    epoch: epoch__.unwrap_or_default(),
                    seq: seq__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.After", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for AttachRequest {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.body.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.AttachRequest", len)?;
        if let Some(v) = self.body.as_ref() {
            match v {
                attach_request::Body::Hello(v) => {
                    struct_ser.serialize_field("hello", v)?;
                }
                attach_request::Body::Batch(v) => {
                    struct_ser.serialize_field("batch", v)?;
                }
                attach_request::Body::Reply(v) => {
                    struct_ser.serialize_field("reply", v)?;
                }
                attach_request::Body::Authors(v) => {
                    struct_ser.serialize_field("authors", v)?;
                }
            }
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for AttachRequest {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "hello",
            "batch",
            "reply",
            "authors",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Hello,
            Batch,
            Reply,
            Authors,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "hello" => Ok(GeneratedField::Hello),
                            "batch" => Ok(GeneratedField::Batch),
                            "reply" => Ok(GeneratedField::Reply),
                            "authors" => Ok(GeneratedField::Authors),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = AttachRequest;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.AttachRequest")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<AttachRequest, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut body__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Hello => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("hello"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(attach_request::Body::Hello)
;
                        }
                        GeneratedField::Batch => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("batch"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(attach_request::Body::Batch)
;
                        }
                        GeneratedField::Reply => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("reply"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(attach_request::Body::Reply)
;
                        }
                        GeneratedField::Authors => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("authors"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(attach_request::Body::Authors)
;
                        }
                    }
                }
                Ok(AttachRequest {
                    body: body__,
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.AttachRequest", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for AttachResponse {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.body.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.AttachResponse", len)?;
        if let Some(v) = self.body.as_ref() {
            match v {
                attach_response::Body::Welcome(v) => {
                    struct_ser.serialize_field("welcome", v)?;
                }
                attach_response::Body::Command(v) => {
                    struct_ser.serialize_field("command", v)?;
                }
            }
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for AttachResponse {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "welcome",
            "command",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Welcome,
            Command,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "welcome" => Ok(GeneratedField::Welcome),
                            "command" => Ok(GeneratedField::Command),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = AttachResponse;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.AttachResponse")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<AttachResponse, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut body__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Welcome => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("welcome"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(attach_response::Body::Welcome)
;
                        }
                        GeneratedField::Command => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("command"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(attach_response::Body::Command)
;
                        }
                    }
                }
                Ok(AttachResponse {
                    body: body__,
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.AttachResponse", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Attributes {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.dynamic.is_some() {
            len += 1;
        }
        if self.profile_id.is_some() {
            len += 1;
        }
        if self.aging_ms.is_some() {
            len += 1;
        }
        if self.permissions.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.Attributes", len)?;
        if let Some(v) = self.dynamic.as_ref() {
            struct_ser.serialize_field("dynamic", v)?;
        }
        if let Some(v) = self.profile_id.as_ref() {
            struct_ser.serialize_field("profileId", v)?;
        }
        if let Some(v) = self.aging_ms.as_ref() {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("agingMs", ToString::to_string(&v).as_str())?;
        }
        if let Some(v) = self.permissions.as_ref() {
            struct_ser.serialize_field("permissions", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Attributes {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "dynamic",
            "profile_id",
            "profileId",
            "aging_ms",
            "agingMs",
            "permissions",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Dynamic,
            ProfileId,
            AgingMs,
            Permissions,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "dynamic" => Ok(GeneratedField::Dynamic),
                            "profileId" | "profile_id" => Ok(GeneratedField::ProfileId),
                            "agingMs" | "aging_ms" => Ok(GeneratedField::AgingMs),
                            "permissions" => Ok(GeneratedField::Permissions),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Attributes;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.Attributes")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Attributes, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut dynamic__ = None;
                let mut profile_id__ = None;
                let mut aging_ms__ = None;
                let mut permissions__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Dynamic => {
                            if dynamic__.is_some() {
                                return Err(serde::de::Error::duplicate_field("dynamic"));
                            }
                            dynamic__ = map_.next_value()?;
                        }
                        GeneratedField::ProfileId => {
                            if profile_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("profileId"));
                            }
                            profile_id__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::AgingMs => {
                            if aging_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("agingMs"));
                            }
                            aging_ms__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::Permissions => {
                            if permissions__.is_some() {
                                return Err(serde::de::Error::duplicate_field("permissions"));
                            }
                            permissions__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                    }
                }
                Ok(Attributes {
                    dynamic: dynamic__,
                    profile_id: profile_id__,
                    aging_ms: aging_ms__,
                    permissions: permissions__,
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.Attributes", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Author {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.number != 0 {
            len += 1;
        }
        if self.actor.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.Author", len)?;
        if self.number != 0 {
            struct_ser.serialize_field("number", &self.number)?;
        }
        if let Some(v) = self.actor.as_ref() {
            struct_ser.serialize_field("actor", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Author {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "number",
            "actor",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Number,
            Actor,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "number" => Ok(GeneratedField::Number),
                            "actor" => Ok(GeneratedField::Actor),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Author;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.Author")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Author, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut number__ = None;
                let mut actor__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Number => {
                            if number__.is_some() {
                                return Err(serde::de::Error::duplicate_field("number"));
                            }
                            number__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Actor => {
                            if actor__.is_some() {
                                return Err(serde::de::Error::duplicate_field("actor"));
                            }
                            actor__ = map_.next_value()?;
                        }
                    }
                }
                Ok(Author {
                    number: number__.unwrap_or_default(),
                    actor: actor__,
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.Author", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Authors {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.authors.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.Authors", len)?;
        if !self.authors.is_empty() {
            struct_ser.serialize_field("authors", &self.authors)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Authors {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "authors",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Authors,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "authors" => Ok(GeneratedField::Authors),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Authors;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.Authors")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Authors, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut authors__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Authors => {
                            if authors__.is_some() {
                                return Err(serde::de::Error::duplicate_field("authors"));
                            }
                            authors__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(Authors {
                    authors: authors__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.Authors", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Batch {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.shard != 0 {
            len += 1;
        }
        if self.first_seq != 0 {
            len += 1;
        }
        if !self.records.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.Batch", len)?;
        if self.shard != 0 {
            struct_ser.serialize_field("shard", &self.shard)?;
        }
        if self.first_seq != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("firstSeq", ToString::to_string(&self.first_seq).as_str())?;
        }
        if !self.records.is_empty() {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("records", pbjson::private::base64::encode(&self.records).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Batch {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "shard",
            "first_seq",
            "firstSeq",
            "records",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Shard,
            FirstSeq,
            Records,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "shard" => Ok(GeneratedField::Shard),
                            "firstSeq" | "first_seq" => Ok(GeneratedField::FirstSeq),
                            "records" => Ok(GeneratedField::Records),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Batch;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.Batch")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Batch, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut shard__ = None;
                let mut first_seq__ = None;
                let mut records__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Shard => {
                            if shard__.is_some() {
                                return Err(serde::de::Error::duplicate_field("shard"));
                            }
                            shard__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::FirstSeq => {
                            if first_seq__.is_some() {
                                return Err(serde::de::Error::duplicate_field("firstSeq"));
                            }
                            first_seq__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Records => {
                            if records__.is_some() {
                                return Err(serde::de::Error::duplicate_field("records"));
                            }
                            records__ = 
                                Some(map_.next_value::<::pbjson::private::BytesDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(Batch {
                    shard: shard__.unwrap_or_default(),
                    first_seq: first_seq__.unwrap_or_default(),
                    records: records__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.Batch", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for CancelCommand {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.id != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.CancelCommand", len)?;
        if self.id != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("id", ToString::to_string(&self.id).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for CancelCommand {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "id",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Id,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "id" => Ok(GeneratedField::Id),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = CancelCommand;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.CancelCommand")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<CancelCommand, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut id__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Id => {
                            if id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("id"));
                            }
                            id__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(CancelCommand {
                    id: id__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.CancelCommand", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Command {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.id != 0 {
            len += 1;
        }
        if self.deadline_ms != 0 {
            len += 1;
        }
        if self.body.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.Command", len)?;
        if self.id != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("id", ToString::to_string(&self.id).as_str())?;
        }
        if self.deadline_ms != 0 {
            struct_ser.serialize_field("deadlineMs", &self.deadline_ms)?;
        }
        if let Some(v) = self.body.as_ref() {
            match v {
                command::Body::Get(v) => {
                    struct_ser.serialize_field("get", v)?;
                }
                command::Body::Dump(v) => {
                    struct_ser.serialize_field("dump", v)?;
                }
                command::Body::Delete(v) => {
                    struct_ser.serialize_field("delete", v)?;
                }
                command::Body::Stats(v) => {
                    struct_ser.serialize_field("stats", v)?;
                }
                command::Body::Cancel(v) => {
                    struct_ser.serialize_field("cancel", v)?;
                }
                command::Body::Create(v) => {
                    struct_ser.serialize_field("create", v)?;
                }
                command::Body::Update(v) => {
                    struct_ser.serialize_field("update", v)?;
                }
                command::Body::Flush(v) => {
                    struct_ser.serialize_field("flush", v)?;
                }
                command::Body::Table(v) => {
                    struct_ser.serialize_field("table", v)?;
                }
                command::Body::UpdateTable(v) => {
                    struct_ser.serialize_field("updateTable", v)?;
                }
                command::Body::Purge(v) => {
                    struct_ser.serialize_field("purge", v)?;
                }
                command::Body::Load(v) => {
                    struct_ser.serialize_field("load", v)?;
                }
            }
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Command {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "id",
            "deadline_ms",
            "deadlineMs",
            "get",
            "dump",
            "delete",
            "stats",
            "cancel",
            "create",
            "update",
            "flush",
            "table",
            "update_table",
            "updateTable",
            "purge",
            "load",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Id,
            DeadlineMs,
            Get,
            Dump,
            Delete,
            Stats,
            Cancel,
            Create,
            Update,
            Flush,
            Table,
            UpdateTable,
            Purge,
            Load,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "id" => Ok(GeneratedField::Id),
                            "deadlineMs" | "deadline_ms" => Ok(GeneratedField::DeadlineMs),
                            "get" => Ok(GeneratedField::Get),
                            "dump" => Ok(GeneratedField::Dump),
                            "delete" => Ok(GeneratedField::Delete),
                            "stats" => Ok(GeneratedField::Stats),
                            "cancel" => Ok(GeneratedField::Cancel),
                            "create" => Ok(GeneratedField::Create),
                            "update" => Ok(GeneratedField::Update),
                            "flush" => Ok(GeneratedField::Flush),
                            "table" => Ok(GeneratedField::Table),
                            "updateTable" | "update_table" => Ok(GeneratedField::UpdateTable),
                            "purge" => Ok(GeneratedField::Purge),
                            "load" => Ok(GeneratedField::Load),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Command;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.Command")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Command, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut id__ = None;
                let mut deadline_ms__ = None;
                let mut body__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Id => {
                            if id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("id"));
                            }
                            id__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::DeadlineMs => {
                            if deadline_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("deadlineMs"));
                            }
                            deadline_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Get => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("get"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(command::Body::Get)
;
                        }
                        GeneratedField::Dump => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("dump"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(command::Body::Dump)
;
                        }
                        GeneratedField::Delete => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("delete"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(command::Body::Delete)
;
                        }
                        GeneratedField::Stats => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("stats"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(command::Body::Stats)
;
                        }
                        GeneratedField::Cancel => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("cancel"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(command::Body::Cancel)
;
                        }
                        GeneratedField::Create => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("create"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(command::Body::Create)
;
                        }
                        GeneratedField::Update => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("update"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(command::Body::Update)
;
                        }
                        GeneratedField::Flush => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("flush"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(command::Body::Flush)
;
                        }
                        GeneratedField::Table => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("table"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(command::Body::Table)
;
                        }
                        GeneratedField::UpdateTable => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("updateTable"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(command::Body::UpdateTable)
;
                        }
                        GeneratedField::Purge => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("purge"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(command::Body::Purge)
;
                        }
                        GeneratedField::Load => {
                            if body__.is_some() {
                                return Err(serde::de::Error::duplicate_field("load"));
                            }
                            body__ = map_.next_value::<::std::option::Option<_>>()?.map(command::Body::Load)
;
                        }
                    }
                }
                Ok(Command {
                    id: id__.unwrap_or_default(),
                    deadline_ms: deadline_ms__.unwrap_or_default(),
                    body: body__,
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.Command", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for CreateCommand {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.key.is_empty() {
            len += 1;
        }
        if self.attributes.is_some() {
            len += 1;
        }
        if self.actor.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.CreateCommand", len)?;
        if !self.key.is_empty() {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("key", pbjson::private::base64::encode(&self.key).as_str())?;
        }
        if let Some(v) = self.attributes.as_ref() {
            struct_ser.serialize_field("attributes", v)?;
        }
        if let Some(v) = self.actor.as_ref() {
            struct_ser.serialize_field("actor", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for CreateCommand {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "key",
            "attributes",
            "actor",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Key,
            Attributes,
            Actor,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "key" => Ok(GeneratedField::Key),
                            "attributes" => Ok(GeneratedField::Attributes),
                            "actor" => Ok(GeneratedField::Actor),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = CreateCommand;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.CreateCommand")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<CreateCommand, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut key__ = None;
                let mut attributes__ = None;
                let mut actor__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Key => {
                            if key__.is_some() {
                                return Err(serde::de::Error::duplicate_field("key"));
                            }
                            key__ = 
                                Some(map_.next_value::<::pbjson::private::BytesDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Attributes => {
                            if attributes__.is_some() {
                                return Err(serde::de::Error::duplicate_field("attributes"));
                            }
                            attributes__ = map_.next_value()?;
                        }
                        GeneratedField::Actor => {
                            if actor__.is_some() {
                                return Err(serde::de::Error::duplicate_field("actor"));
                            }
                            actor__ = map_.next_value()?;
                        }
                    }
                }
                Ok(CreateCommand {
                    key: key__.unwrap_or_default(),
                    attributes: attributes__,
                    actor: actor__,
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.CreateCommand", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for CreateEntryRequest {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.key.is_some() {
            len += 1;
        }
        if self.dynamic.is_some() {
            len += 1;
        }
        if self.profile_id.is_some() {
            len += 1;
        }
        if self.aging_ms.is_some() {
            len += 1;
        }
        if self.permissions.is_some() {
            len += 1;
        }
        if !self.dataplane.is_empty() {
            len += 1;
        }
        if !self.pipeline.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.CreateEntryRequest", len)?;
        if let Some(v) = self.key.as_ref() {
            struct_ser.serialize_field("key", v)?;
        }
        if let Some(v) = self.dynamic.as_ref() {
            struct_ser.serialize_field("dynamic", v)?;
        }
        if let Some(v) = self.profile_id.as_ref() {
            struct_ser.serialize_field("profileId", v)?;
        }
        if let Some(v) = self.aging_ms.as_ref() {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("agingMs", ToString::to_string(&v).as_str())?;
        }
        if let Some(v) = self.permissions.as_ref() {
            struct_ser.serialize_field("permissions", v)?;
        }
        if !self.dataplane.is_empty() {
            struct_ser.serialize_field("dataplane", &self.dataplane)?;
        }
        if !self.pipeline.is_empty() {
            struct_ser.serialize_field("pipeline", &self.pipeline)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for CreateEntryRequest {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "key",
            "dynamic",
            "profile_id",
            "profileId",
            "aging_ms",
            "agingMs",
            "permissions",
            "dataplane",
            "pipeline",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Key,
            Dynamic,
            ProfileId,
            AgingMs,
            Permissions,
            Dataplane,
            Pipeline,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "key" => Ok(GeneratedField::Key),
                            "dynamic" => Ok(GeneratedField::Dynamic),
                            "profileId" | "profile_id" => Ok(GeneratedField::ProfileId),
                            "agingMs" | "aging_ms" => Ok(GeneratedField::AgingMs),
                            "permissions" => Ok(GeneratedField::Permissions),
                            "dataplane" => Ok(GeneratedField::Dataplane),
                            "pipeline" => Ok(GeneratedField::Pipeline),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = CreateEntryRequest;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.CreateEntryRequest")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<CreateEntryRequest, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut key__ = None;
                let mut dynamic__ = None;
                let mut profile_id__ = None;
                let mut aging_ms__ = None;
                let mut permissions__ = None;
                let mut dataplane__ = None;
                let mut pipeline__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Key => {
                            if key__.is_some() {
                                return Err(serde::de::Error::duplicate_field("key"));
                            }
                            key__ = map_.next_value()?;
                        }
                        GeneratedField::Dynamic => {
                            if dynamic__.is_some() {
                                return Err(serde::de::Error::duplicate_field("dynamic"));
                            }
                            dynamic__ = map_.next_value()?;
                        }
                        GeneratedField::ProfileId => {
                            if profile_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("profileId"));
                            }
                            profile_id__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::AgingMs => {
                            if aging_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("agingMs"));
                            }
                            aging_ms__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::Permissions => {
                            if permissions__.is_some() {
                                return Err(serde::de::Error::duplicate_field("permissions"));
                            }
                            permissions__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::Dataplane => {
                            if dataplane__.is_some() {
                                return Err(serde::de::Error::duplicate_field("dataplane"));
                            }
                            dataplane__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Pipeline => {
                            if pipeline__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pipeline"));
                            }
                            pipeline__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(CreateEntryRequest {
                    key: key__,
                    dynamic: dynamic__,
                    profile_id: profile_id__,
                    aging_ms: aging_ms__,
                    permissions: permissions__,
                    dataplane: dataplane__.unwrap_or_default(),
                    pipeline: pipeline__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.CreateEntryRequest", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for CreateEntryResponse {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.entry.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.CreateEntryResponse", len)?;
        if let Some(v) = self.entry.as_ref() {
            struct_ser.serialize_field("entry", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for CreateEntryResponse {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "entry",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Entry,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "entry" => Ok(GeneratedField::Entry),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = CreateEntryResponse;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.CreateEntryResponse")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<CreateEntryResponse, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut entry__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Entry => {
                            if entry__.is_some() {
                                return Err(serde::de::Error::duplicate_field("entry"));
                            }
                            entry__ = map_.next_value()?;
                        }
                    }
                }
                Ok(CreateEntryResponse {
                    entry: entry__,
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.CreateEntryResponse", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Dataplane {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.name.is_empty() {
            len += 1;
        }
        if self.attached {
            len += 1;
        }
        if self.synced {
            len += 1;
        }
        if !self.version.is_empty() {
            len += 1;
        }
        if self.since.is_some() {
            len += 1;
        }
        if self.entries != 0 {
            len += 1;
        }
        if !self.ports.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.Dataplane", len)?;
        if !self.name.is_empty() {
            struct_ser.serialize_field("name", &self.name)?;
        }
        if self.attached {
            struct_ser.serialize_field("attached", &self.attached)?;
        }
        if self.synced {
            struct_ser.serialize_field("synced", &self.synced)?;
        }
        if !self.version.is_empty() {
            struct_ser.serialize_field("version", &self.version)?;
        }
        if let Some(v) = self.since.as_ref() {
            struct_ser.serialize_field("since", v)?;
        }
        if self.entries != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("entries", ToString::to_string(&self.entries).as_str())?;
        }
        if !self.ports.is_empty() {
            struct_ser.serialize_field("ports", &self.ports)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Dataplane {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "name",
            "attached",
            "synced",
            "version",
            "since",
            "entries",
            "ports",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Name,
            Attached,
            Synced,
            Version,
            Since,
            Entries,
            Ports,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "name" => Ok(GeneratedField::Name),
                            "attached" => Ok(GeneratedField::Attached),
                            "synced" => Ok(GeneratedField::Synced),
                            "version" => Ok(GeneratedField::Version),
                            "since" => Ok(GeneratedField::Since),
                            "entries" => Ok(GeneratedField::Entries),
                            "ports" => Ok(GeneratedField::Ports),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Dataplane;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.Dataplane")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Dataplane, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut name__ = None;
                let mut attached__ = None;
                let mut synced__ = None;
                let mut version__ = None;
                let mut since__ = None;
                let mut entries__ = None;
                let mut ports__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Name => {
                            if name__.is_some() {
                                return Err(serde::de::Error::duplicate_field("name"));
                            }
                            name__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Attached => {
                            if attached__.is_some() {
                                return Err(serde::de::Error::duplicate_field("attached"));
                            }
                            attached__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Synced => {
                            if synced__.is_some() {
                                return Err(serde::de::Error::duplicate_field("synced"));
                            }
                            synced__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Version => {
                            if version__.is_some() {
                                return Err(serde::de::Error::duplicate_field("version"));
                            }
                            version__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Since => {
                            if since__.is_some() {
                                return Err(serde::de::Error::duplicate_field("since"));
                            }
                            since__ = map_.next_value()?;
                        }
                        GeneratedField::Entries => {
                            if entries__.is_some() {
                                return Err(serde::de::Error::duplicate_field("entries"));
                            }
                            entries__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Ports => {
                            if ports__.is_some() {
                                return Err(serde::de::Error::duplicate_field("ports"));
                            }
                            ports__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(Dataplane {
                    name: name__.unwrap_or_default(),
                    attached: attached__.unwrap_or_default(),
                    synced: synced__.unwrap_or_default(),
                    version: version__.unwrap_or_default(),
                    since: since__,
                    entries: entries__.unwrap_or_default(),
                    ports: ports__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.Dataplane", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for DataplaneStats {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.dataplane.is_empty() {
            len += 1;
        }
        if !self.lcores.is_empty() {
            len += 1;
        }
        if !self.ports.is_empty() {
            len += 1;
        }
        if self.time.is_some() {
            len += 1;
        }
        if self.live {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.DataplaneStats", len)?;
        if !self.dataplane.is_empty() {
            struct_ser.serialize_field("dataplane", &self.dataplane)?;
        }
        if !self.lcores.is_empty() {
            struct_ser.serialize_field("lcores", &self.lcores)?;
        }
        if !self.ports.is_empty() {
            struct_ser.serialize_field("ports", &self.ports)?;
        }
        if let Some(v) = self.time.as_ref() {
            struct_ser.serialize_field("time", v)?;
        }
        if self.live {
            struct_ser.serialize_field("live", &self.live)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for DataplaneStats {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "dataplane",
            "lcores",
            "ports",
            "time",
            "live",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Dataplane,
            Lcores,
            Ports,
            Time,
            Live,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "dataplane" => Ok(GeneratedField::Dataplane),
                            "lcores" => Ok(GeneratedField::Lcores),
                            "ports" => Ok(GeneratedField::Ports),
                            "time" => Ok(GeneratedField::Time),
                            "live" => Ok(GeneratedField::Live),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = DataplaneStats;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.DataplaneStats")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<DataplaneStats, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut dataplane__ = None;
                let mut lcores__ = None;
                let mut ports__ = None;
                let mut time__ = None;
                let mut live__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Dataplane => {
                            if dataplane__.is_some() {
                                return Err(serde::de::Error::duplicate_field("dataplane"));
                            }
                            dataplane__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Lcores => {
                            if lcores__.is_some() {
                                return Err(serde::de::Error::duplicate_field("lcores"));
                            }
                            lcores__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Ports => {
                            if ports__.is_some() {
                                return Err(serde::de::Error::duplicate_field("ports"));
                            }
                            ports__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Time => {
                            if time__.is_some() {
                                return Err(serde::de::Error::duplicate_field("time"));
                            }
                            time__ = map_.next_value()?;
                        }
                        GeneratedField::Live => {
                            if live__.is_some() {
                                return Err(serde::de::Error::duplicate_field("live"));
                            }
                            live__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(DataplaneStats {
                    dataplane: dataplane__.unwrap_or_default(),
                    lcores: lcores__.unwrap_or_default(),
                    ports: ports__.unwrap_or_default(),
                    time: time__,
                    live: live__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.DataplaneStats", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for DeleteCommand {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.key.is_empty() {
            len += 1;
        }
        if self.actor.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.DeleteCommand", len)?;
        if !self.key.is_empty() {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("key", pbjson::private::base64::encode(&self.key).as_str())?;
        }
        if let Some(v) = self.actor.as_ref() {
            struct_ser.serialize_field("actor", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for DeleteCommand {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "key",
            "actor",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Key,
            Actor,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "key" => Ok(GeneratedField::Key),
                            "actor" => Ok(GeneratedField::Actor),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = DeleteCommand;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.DeleteCommand")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<DeleteCommand, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut key__ = None;
                let mut actor__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Key => {
                            if key__.is_some() {
                                return Err(serde::de::Error::duplicate_field("key"));
                            }
                            key__ = 
                                Some(map_.next_value::<::pbjson::private::BytesDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Actor => {
                            if actor__.is_some() {
                                return Err(serde::de::Error::duplicate_field("actor"));
                            }
                            actor__ = map_.next_value()?;
                        }
                    }
                }
                Ok(DeleteCommand {
                    key: key__.unwrap_or_default(),
                    actor: actor__,
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.DeleteCommand", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for DeleteEntryRequest {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.key.is_some() {
            len += 1;
        }
        if !self.dataplane.is_empty() {
            len += 1;
        }
        if !self.pipeline.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.DeleteEntryRequest", len)?;
        if let Some(v) = self.key.as_ref() {
            struct_ser.serialize_field("key", v)?;
        }
        if !self.dataplane.is_empty() {
            struct_ser.serialize_field("dataplane", &self.dataplane)?;
        }
        if !self.pipeline.is_empty() {
            struct_ser.serialize_field("pipeline", &self.pipeline)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for DeleteEntryRequest {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "key",
            "dataplane",
            "pipeline",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Key,
            Dataplane,
            Pipeline,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "key" => Ok(GeneratedField::Key),
                            "dataplane" => Ok(GeneratedField::Dataplane),
                            "pipeline" => Ok(GeneratedField::Pipeline),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = DeleteEntryRequest;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.DeleteEntryRequest")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<DeleteEntryRequest, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut key__ = None;
                let mut dataplane__ = None;
                let mut pipeline__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Key => {
                            if key__.is_some() {
                                return Err(serde::de::Error::duplicate_field("key"));
                            }
                            key__ = map_.next_value()?;
                        }
                        GeneratedField::Dataplane => {
                            if dataplane__.is_some() {
                                return Err(serde::de::Error::duplicate_field("dataplane"));
                            }
                            dataplane__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Pipeline => {
                            if pipeline__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pipeline"));
                            }
                            pipeline__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(DeleteEntryRequest {
                    key: key__,
                    dataplane: dataplane__.unwrap_or_default(),
                    pipeline: pipeline__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.DeleteEntryRequest", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for DeleteEntryResponse {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.entry.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.DeleteEntryResponse", len)?;
        if let Some(v) = self.entry.as_ref() {
            struct_ser.serialize_field("entry", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for DeleteEntryResponse {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "entry",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Entry,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "entry" => Ok(GeneratedField::Entry),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = DeleteEntryResponse;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.DeleteEntryResponse")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<DeleteEntryResponse, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut entry__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Entry => {
                            if entry__.is_some() {
                                return Err(serde::de::Error::duplicate_field("entry"));
                            }
                            entry__ = map_.next_value()?;
                        }
                    }
                }
                Ok(DeleteEntryResponse {
                    entry: entry__,
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.DeleteEntryResponse", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for DeleteReason {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::Unspecified => "DELETE_REASON_UNSPECIFIED",
            Self::Idle => "DELETE_REASON_IDLE",
            Self::Control => "DELETE_REASON_CONTROL",
            Self::Flush => "DELETE_REASON_FLUSH",
            Self::Resync => "DELETE_REASON_RESYNC",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for DeleteReason {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "DELETE_REASON_UNSPECIFIED",
            "DELETE_REASON_IDLE",
            "DELETE_REASON_CONTROL",
            "DELETE_REASON_FLUSH",
            "DELETE_REASON_RESYNC",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = DeleteReason;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "DELETE_REASON_UNSPECIFIED" => Ok(DeleteReason::Unspecified),
                    "DELETE_REASON_IDLE" => Ok(DeleteReason::Idle),
                    "DELETE_REASON_CONTROL" => Ok(DeleteReason::Control),
                    "DELETE_REASON_FLUSH" => Ok(DeleteReason::Flush),
                    "DELETE_REASON_RESYNC" => Ok(DeleteReason::Resync),
                    _ => Err(serde::de::Error::unknown_variant(value, FIELDS)),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for DumpCommand {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.filter.is_some() {
            len += 1;
        }
        if !self.pipeline.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.DumpCommand", len)?;
        if let Some(v) = self.filter.as_ref() {
            struct_ser.serialize_field("filter", v)?;
        }
        if !self.pipeline.is_empty() {
            struct_ser.serialize_field("pipeline", &self.pipeline)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for DumpCommand {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "filter",
            "pipeline",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Filter,
            Pipeline,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "filter" => Ok(GeneratedField::Filter),
                            "pipeline" => Ok(GeneratedField::Pipeline),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = DumpCommand;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.DumpCommand")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<DumpCommand, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut filter__ = None;
                let mut pipeline__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Filter => {
                            if filter__.is_some() {
                                return Err(serde::de::Error::duplicate_field("filter"));
                            }
                            filter__ = map_.next_value()?;
                        }
                        GeneratedField::Pipeline => {
                            if pipeline__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pipeline"));
                            }
                            pipeline__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(DumpCommand {
                    filter: filter__,
                    pipeline: pipeline__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.DumpCommand", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Entity {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::Unspecified => "ENTITY_UNSPECIFIED",
            Self::Kernel => "ENTITY_KERNEL",
            Self::Tc => "ENTITY_TC",
            Self::Timer => "ENTITY_TIMER",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for Entity {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "ENTITY_UNSPECIFIED",
            "ENTITY_KERNEL",
            "ENTITY_TC",
            "ENTITY_TIMER",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = Entity;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "ENTITY_UNSPECIFIED" => Ok(Entity::Unspecified),
                    "ENTITY_KERNEL" => Ok(Entity::Kernel),
                    "ENTITY_TC" => Ok(Entity::Tc),
                    "ENTITY_TIMER" => Ok(Entity::Timer),
                    _ => Err(serde::de::Error::unknown_variant(value, FIELDS)),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for Entry {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.dataplane.is_empty() {
            len += 1;
        }
        if !self.pipeline.is_empty() {
            len += 1;
        }
        if !self.table.is_empty() {
            len += 1;
        }
        if self.key.is_some() {
            len += 1;
        }
        if self.priority != 0 {
            len += 1;
        }
        if self.permissions != 0 {
            len += 1;
        }
        if !self.permissions_text.is_empty() {
            len += 1;
        }
        if self.created_by.is_some() {
            len += 1;
        }
        if self.updated_by.is_some() {
            len += 1;
        }
        if self.deleted_by.is_some() {
            len += 1;
        }
        if self.dynamic {
            len += 1;
        }
        if self.profile_id != 0 {
            len += 1;
        }
        if self.aging_ms != 0 {
            len += 1;
        }
        if self.create_time.is_some() {
            len += 1;
        }
        if self.last_used_time.is_some() {
            len += 1;
        }
        if self.created_ms_ago != 0 {
            len += 1;
        }
        if self.idle_ms != 0 {
            len += 1;
        }
        if self.packets != 0 {
            len += 1;
        }
        if self.bytes != 0 {
            len += 1;
        }
        if self.tmpl_created {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.Entry", len)?;
        if !self.dataplane.is_empty() {
            struct_ser.serialize_field("dataplane", &self.dataplane)?;
        }
        if !self.pipeline.is_empty() {
            struct_ser.serialize_field("pipeline", &self.pipeline)?;
        }
        if !self.table.is_empty() {
            struct_ser.serialize_field("table", &self.table)?;
        }
        if let Some(v) = self.key.as_ref() {
            struct_ser.serialize_field("key", v)?;
        }
        if self.priority != 0 {
            struct_ser.serialize_field("priority", &self.priority)?;
        }
        if self.permissions != 0 {
            struct_ser.serialize_field("permissions", &self.permissions)?;
        }
        if !self.permissions_text.is_empty() {
            struct_ser.serialize_field("permissionsText", &self.permissions_text)?;
        }
        if let Some(v) = self.created_by.as_ref() {
            struct_ser.serialize_field("createdBy", v)?;
        }
        if let Some(v) = self.updated_by.as_ref() {
            struct_ser.serialize_field("updatedBy", v)?;
        }
        if let Some(v) = self.deleted_by.as_ref() {
            struct_ser.serialize_field("deletedBy", v)?;
        }
        if self.dynamic {
            struct_ser.serialize_field("dynamic", &self.dynamic)?;
        }
        if self.profile_id != 0 {
            struct_ser.serialize_field("profileId", &self.profile_id)?;
        }
        if self.aging_ms != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("agingMs", ToString::to_string(&self.aging_ms).as_str())?;
        }
        if let Some(v) = self.create_time.as_ref() {
            struct_ser.serialize_field("createTime", v)?;
        }
        if let Some(v) = self.last_used_time.as_ref() {
            struct_ser.serialize_field("lastUsedTime", v)?;
        }
        if self.created_ms_ago != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("createdMsAgo", ToString::to_string(&self.created_ms_ago).as_str())?;
        }
        if self.idle_ms != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("idleMs", ToString::to_string(&self.idle_ms).as_str())?;
        }
        if self.packets != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("packets", ToString::to_string(&self.packets).as_str())?;
        }
        if self.bytes != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("bytes", ToString::to_string(&self.bytes).as_str())?;
        }
        if self.tmpl_created {
            struct_ser.serialize_field("tmplCreated", &self.tmpl_created)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Entry {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "dataplane",
            "pipeline",
            "table",
            "key",
            "priority",
            "permissions",
            "permissions_text",
            "permissionsText",
            "created_by",
            "createdBy",
            "updated_by",
            "updatedBy",
            "deleted_by",
            "deletedBy",
            "dynamic",
            "profile_id",
            "profileId",
            "aging_ms",
            "agingMs",
            "create_time",
            "createTime",
            "last_used_time",
            "lastUsedTime",
            "created_ms_ago",
            "createdMsAgo",
            "idle_ms",
            "idleMs",
            "packets",
            "bytes",
            "tmpl_created",
            "tmplCreated",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Dataplane,
            Pipeline,
            Table,
            Key,
            Priority,
            Permissions,
            PermissionsText,
            CreatedBy,
            UpdatedBy,
            DeletedBy,
            Dynamic,
            ProfileId,
            AgingMs,
            CreateTime,
            LastUsedTime,
            CreatedMsAgo,
            IdleMs,
            Packets,
            Bytes,
            TmplCreated,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "dataplane" => Ok(GeneratedField::Dataplane),
                            "pipeline" => Ok(GeneratedField::Pipeline),
                            "table" => Ok(GeneratedField::Table),
                            "key" => Ok(GeneratedField::Key),
                            "priority" => Ok(GeneratedField::Priority),
                            "permissions" => Ok(GeneratedField::Permissions),
                            "permissionsText" | "permissions_text" => Ok(GeneratedField::PermissionsText),
                            "createdBy" | "created_by" => Ok(GeneratedField::CreatedBy),
                            "updatedBy" | "updated_by" => Ok(GeneratedField::UpdatedBy),
                            "deletedBy" | "deleted_by" => Ok(GeneratedField::DeletedBy),
                            "dynamic" => Ok(GeneratedField::Dynamic),
                            "profileId" | "profile_id" => Ok(GeneratedField::ProfileId),
                            "agingMs" | "aging_ms" => Ok(GeneratedField::AgingMs),
                            "createTime" | "create_time" => Ok(GeneratedField::CreateTime),
                            "lastUsedTime" | "last_used_time" => Ok(GeneratedField::LastUsedTime),
                            "createdMsAgo" | "created_ms_ago" => Ok(GeneratedField::CreatedMsAgo),
                            "idleMs" | "idle_ms" => Ok(GeneratedField::IdleMs),
                            "packets" => Ok(GeneratedField::Packets),
                            "bytes" => Ok(GeneratedField::Bytes),
                            "tmplCreated" | "tmpl_created" => Ok(GeneratedField::TmplCreated),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Entry;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.Entry")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Entry, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut dataplane__ = None;
                let mut pipeline__ = None;
                let mut table__ = None;
                let mut key__ = None;
                let mut priority__ = None;
                let mut permissions__ = None;
                let mut permissions_text__ = None;
                let mut created_by__ = None;
                let mut updated_by__ = None;
                let mut deleted_by__ = None;
                let mut dynamic__ = None;
                let mut profile_id__ = None;
                let mut aging_ms__ = None;
                let mut create_time__ = None;
                let mut last_used_time__ = None;
                let mut created_ms_ago__ = None;
                let mut idle_ms__ = None;
                let mut packets__ = None;
                let mut bytes__ = None;
                let mut tmpl_created__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Dataplane => {
                            if dataplane__.is_some() {
                                return Err(serde::de::Error::duplicate_field("dataplane"));
                            }
                            dataplane__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Pipeline => {
                            if pipeline__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pipeline"));
                            }
                            pipeline__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Table => {
                            if table__.is_some() {
                                return Err(serde::de::Error::duplicate_field("table"));
                            }
                            table__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Key => {
                            if key__.is_some() {
                                return Err(serde::de::Error::duplicate_field("key"));
                            }
                            key__ = map_.next_value()?;
                        }
                        GeneratedField::Priority => {
                            if priority__.is_some() {
                                return Err(serde::de::Error::duplicate_field("priority"));
                            }
                            priority__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Permissions => {
                            if permissions__.is_some() {
                                return Err(serde::de::Error::duplicate_field("permissions"));
                            }
                            permissions__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::PermissionsText => {
                            if permissions_text__.is_some() {
                                return Err(serde::de::Error::duplicate_field("permissionsText"));
                            }
                            permissions_text__ = Some(map_.next_value()?);
                        }
                        GeneratedField::CreatedBy => {
                            if created_by__.is_some() {
                                return Err(serde::de::Error::duplicate_field("createdBy"));
                            }
                            created_by__ = map_.next_value()?;
                        }
                        GeneratedField::UpdatedBy => {
                            if updated_by__.is_some() {
                                return Err(serde::de::Error::duplicate_field("updatedBy"));
                            }
                            updated_by__ = map_.next_value()?;
                        }
                        GeneratedField::DeletedBy => {
                            if deleted_by__.is_some() {
                                return Err(serde::de::Error::duplicate_field("deletedBy"));
                            }
                            deleted_by__ = map_.next_value()?;
                        }
                        GeneratedField::Dynamic => {
                            if dynamic__.is_some() {
                                return Err(serde::de::Error::duplicate_field("dynamic"));
                            }
                            dynamic__ = Some(map_.next_value()?);
                        }
                        GeneratedField::ProfileId => {
                            if profile_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("profileId"));
                            }
                            profile_id__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::AgingMs => {
                            if aging_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("agingMs"));
                            }
                            aging_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::CreateTime => {
                            if create_time__.is_some() {
                                return Err(serde::de::Error::duplicate_field("createTime"));
                            }
                            create_time__ = map_.next_value()?;
                        }
                        GeneratedField::LastUsedTime => {
                            if last_used_time__.is_some() {
                                return Err(serde::de::Error::duplicate_field("lastUsedTime"));
                            }
                            last_used_time__ = map_.next_value()?;
                        }
                        GeneratedField::CreatedMsAgo => {
                            if created_ms_ago__.is_some() {
                                return Err(serde::de::Error::duplicate_field("createdMsAgo"));
                            }
                            created_ms_ago__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::IdleMs => {
                            if idle_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("idleMs"));
                            }
                            idle_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Packets => {
                            if packets__.is_some() {
                                return Err(serde::de::Error::duplicate_field("packets"));
                            }
                            packets__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Bytes => {
                            if bytes__.is_some() {
                                return Err(serde::de::Error::duplicate_field("bytes"));
                            }
                            bytes__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::TmplCreated => {
                            if tmpl_created__.is_some() {
                                return Err(serde::de::Error::duplicate_field("tmplCreated"));
                            }
                            tmpl_created__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(Entry {
                    dataplane: dataplane__.unwrap_or_default(),
                    pipeline: pipeline__.unwrap_or_default(),
                    table: table__.unwrap_or_default(),
                    key: key__,
                    priority: priority__.unwrap_or_default(),
                    permissions: permissions__.unwrap_or_default(),
                    permissions_text: permissions_text__.unwrap_or_default(),
                    created_by: created_by__,
                    updated_by: updated_by__,
                    deleted_by: deleted_by__,
                    dynamic: dynamic__.unwrap_or_default(),
                    profile_id: profile_id__.unwrap_or_default(),
                    aging_ms: aging_ms__.unwrap_or_default(),
                    create_time: create_time__,
                    last_used_time: last_used_time__,
                    created_ms_ago: created_ms_ago__.unwrap_or_default(),
                    idle_ms: idle_ms__.unwrap_or_default(),
                    packets: packets__.unwrap_or_default(),
                    bytes: bytes__.unwrap_or_default(),
                    tmpl_created: tmpl_created__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.Entry", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Event {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.epoch != 0 {
            len += 1;
        }
        if self.seq != 0 {
            len += 1;
        }
        if self.time.is_some() {
            len += 1;
        }
        if !self.dataplane.is_empty() {
            len += 1;
        }
        if self.r#type != 0 {
            len += 1;
        }
        if self.entry.is_some() {
            len += 1;
        }
        if self.reason != 0 {
            len += 1;
        }
        if self.gap_from != 0 {
            len += 1;
        }
        if self.gap_to != 0 {
            len += 1;
        }
        if self.deleted != 0 {
            len += 1;
        }
        if self.failed != 0 {
            len += 1;
        }
        if self.lifecycle != 0 {
            len += 1;
        }
        if !self.pipeline.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.Event", len)?;
        if self.epoch != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("epoch", ToString::to_string(&self.epoch).as_str())?;
        }
        if self.seq != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("seq", ToString::to_string(&self.seq).as_str())?;
        }
        if let Some(v) = self.time.as_ref() {
            struct_ser.serialize_field("time", v)?;
        }
        if !self.dataplane.is_empty() {
            struct_ser.serialize_field("dataplane", &self.dataplane)?;
        }
        if self.r#type != 0 {
            let v = EventType::try_from(self.r#type)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.r#type)))?;
            struct_ser.serialize_field("type", &v)?;
        }
        if let Some(v) = self.entry.as_ref() {
            struct_ser.serialize_field("entry", v)?;
        }
        if self.reason != 0 {
            let v = DeleteReason::try_from(self.reason)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.reason)))?;
            struct_ser.serialize_field("reason", &v)?;
        }
        if self.gap_from != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("gapFrom", ToString::to_string(&self.gap_from).as_str())?;
        }
        if self.gap_to != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("gapTo", ToString::to_string(&self.gap_to).as_str())?;
        }
        if self.deleted != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("deleted", ToString::to_string(&self.deleted).as_str())?;
        }
        if self.failed != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("failed", ToString::to_string(&self.failed).as_str())?;
        }
        if self.lifecycle != 0 {
            let v = LifecycleKind::try_from(self.lifecycle)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.lifecycle)))?;
            struct_ser.serialize_field("lifecycle", &v)?;
        }
        if !self.pipeline.is_empty() {
            struct_ser.serialize_field("pipeline", &self.pipeline)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Event {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "epoch",
            "seq",
            "time",
            "dataplane",
            "type",
            "entry",
            "reason",
            "gap_from",
            "gapFrom",
            "gap_to",
            "gapTo",
            "deleted",
            "failed",
            "lifecycle",
            "pipeline",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Epoch,
            Seq,
            Time,
            Dataplane,
            Type,
            Entry,
            Reason,
            GapFrom,
            GapTo,
            Deleted,
            Failed,
            Lifecycle,
            Pipeline,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "epoch" => Ok(GeneratedField::Epoch),
                            "seq" => Ok(GeneratedField::Seq),
                            "time" => Ok(GeneratedField::Time),
                            "dataplane" => Ok(GeneratedField::Dataplane),
                            "type" => Ok(GeneratedField::Type),
                            "entry" => Ok(GeneratedField::Entry),
                            "reason" => Ok(GeneratedField::Reason),
                            "gapFrom" | "gap_from" => Ok(GeneratedField::GapFrom),
                            "gapTo" | "gap_to" => Ok(GeneratedField::GapTo),
                            "deleted" => Ok(GeneratedField::Deleted),
                            "failed" => Ok(GeneratedField::Failed),
                            "lifecycle" => Ok(GeneratedField::Lifecycle),
                            "pipeline" => Ok(GeneratedField::Pipeline),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Event;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.Event")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Event, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut epoch__ = None;
                let mut seq__ = None;
                let mut time__ = None;
                let mut dataplane__ = None;
                let mut r#type__ = None;
                let mut entry__ = None;
                let mut reason__ = None;
                let mut gap_from__ = None;
                let mut gap_to__ = None;
                let mut deleted__ = None;
                let mut failed__ = None;
                let mut lifecycle__ = None;
                let mut pipeline__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Epoch => {
                            if epoch__.is_some() {
                                return Err(serde::de::Error::duplicate_field("epoch"));
                            }
                            epoch__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Seq => {
                            if seq__.is_some() {
                                return Err(serde::de::Error::duplicate_field("seq"));
                            }
                            seq__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Time => {
                            if time__.is_some() {
                                return Err(serde::de::Error::duplicate_field("time"));
                            }
                            time__ = map_.next_value()?;
                        }
                        GeneratedField::Dataplane => {
                            if dataplane__.is_some() {
                                return Err(serde::de::Error::duplicate_field("dataplane"));
                            }
                            dataplane__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Type => {
                            if r#type__.is_some() {
                                return Err(serde::de::Error::duplicate_field("type"));
                            }
                            r#type__ = Some(map_.next_value::<EventType>()? as i32);
                        }
                        GeneratedField::Entry => {
                            if entry__.is_some() {
                                return Err(serde::de::Error::duplicate_field("entry"));
                            }
                            entry__ = map_.next_value()?;
                        }
                        GeneratedField::Reason => {
                            if reason__.is_some() {
                                return Err(serde::de::Error::duplicate_field("reason"));
                            }
                            reason__ = Some(map_.next_value::<DeleteReason>()? as i32);
                        }
                        GeneratedField::GapFrom => {
                            if gap_from__.is_some() {
                                return Err(serde::de::Error::duplicate_field("gapFrom"));
                            }
                            gap_from__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::GapTo => {
                            if gap_to__.is_some() {
                                return Err(serde::de::Error::duplicate_field("gapTo"));
                            }
                            gap_to__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Deleted => {
                            if deleted__.is_some() {
                                return Err(serde::de::Error::duplicate_field("deleted"));
                            }
                            deleted__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Failed => {
                            if failed__.is_some() {
                                return Err(serde::de::Error::duplicate_field("failed"));
                            }
                            failed__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Lifecycle => {
                            if lifecycle__.is_some() {
                                return Err(serde::de::Error::duplicate_field("lifecycle"));
                            }
                            lifecycle__ = Some(map_.next_value::<LifecycleKind>()? as i32);
                        }
                        GeneratedField::Pipeline => {
                            if pipeline__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pipeline"));
                            }
                            pipeline__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(Event {
                    epoch: epoch__.unwrap_or_default(),
                    seq: seq__.unwrap_or_default(),
                    time: time__,
                    dataplane: dataplane__.unwrap_or_default(),
                    r#type: r#type__.unwrap_or_default(),
                    entry: entry__,
                    reason: reason__.unwrap_or_default(),
                    gap_from: gap_from__.unwrap_or_default(),
                    gap_to: gap_to__.unwrap_or_default(),
                    deleted: deleted__.unwrap_or_default(),
                    failed: failed__.unwrap_or_default(),
                    lifecycle: lifecycle__.unwrap_or_default(),
                    pipeline: pipeline__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.Event", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for EventType {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::Unspecified => "EVENT_TYPE_UNSPECIFIED",
            Self::Created => "EVENT_TYPE_CREATED",
            Self::Updated => "EVENT_TYPE_UPDATED",
            Self::Deleted => "EVENT_TYPE_DELETED",
            Self::Flushed => "EVENT_TYPE_FLUSHED",
            Self::Lifecycle => "EVENT_TYPE_LIFECYCLE",
            Self::Synced => "EVENT_TYPE_SYNCED",
            Self::Progress => "EVENT_TYPE_PROGRESS",
            Self::Gap => "EVENT_TYPE_GAP",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for EventType {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "EVENT_TYPE_UNSPECIFIED",
            "EVENT_TYPE_CREATED",
            "EVENT_TYPE_UPDATED",
            "EVENT_TYPE_DELETED",
            "EVENT_TYPE_FLUSHED",
            "EVENT_TYPE_LIFECYCLE",
            "EVENT_TYPE_SYNCED",
            "EVENT_TYPE_PROGRESS",
            "EVENT_TYPE_GAP",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = EventType;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "EVENT_TYPE_UNSPECIFIED" => Ok(EventType::Unspecified),
                    "EVENT_TYPE_CREATED" => Ok(EventType::Created),
                    "EVENT_TYPE_UPDATED" => Ok(EventType::Updated),
                    "EVENT_TYPE_DELETED" => Ok(EventType::Deleted),
                    "EVENT_TYPE_FLUSHED" => Ok(EventType::Flushed),
                    "EVENT_TYPE_LIFECYCLE" => Ok(EventType::Lifecycle),
                    "EVENT_TYPE_SYNCED" => Ok(EventType::Synced),
                    "EVENT_TYPE_PROGRESS" => Ok(EventType::Progress),
                    "EVENT_TYPE_GAP" => Ok(EventType::Gap),
                    _ => Err(serde::de::Error::unknown_variant(value, FIELDS)),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for FieldFault {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.field.is_empty() {
            len += 1;
        }
        if !self.message.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.FieldFault", len)?;
        if !self.field.is_empty() {
            struct_ser.serialize_field("field", &self.field)?;
        }
        if !self.message.is_empty() {
            struct_ser.serialize_field("message", &self.message)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for FieldFault {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "field",
            "message",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Field,
            Message,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "field" => Ok(GeneratedField::Field),
                            "message" => Ok(GeneratedField::Message),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = FieldFault;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.FieldFault")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<FieldFault, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut field__ = None;
                let mut message__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Field => {
                            if field__.is_some() {
                                return Err(serde::de::Error::duplicate_field("field"));
                            }
                            field__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Message => {
                            if message__.is_some() {
                                return Err(serde::de::Error::duplicate_field("message"));
                            }
                            message__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(FieldFault {
                    field: field__.unwrap_or_default(),
                    message: message__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.FieldFault", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Filter {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.steps.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.Filter", len)?;
        if !self.steps.is_empty() {
            struct_ser.serialize_field("steps", &self.steps)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Filter {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "steps",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Steps,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "steps" => Ok(GeneratedField::Steps),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Filter;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.Filter")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Filter, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut steps__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Steps => {
                            if steps__.is_some() {
                                return Err(serde::de::Error::duplicate_field("steps"));
                            }
                            steps__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(Filter {
                    steps: steps__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.Filter", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for FilterOp {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::Unspecified => "FILTER_OP_UNSPECIFIED",
            Self::Eq => "FILTER_OP_EQ",
            Self::Ne => "FILTER_OP_NE",
            Self::Lt => "FILTER_OP_LT",
            Self::Le => "FILTER_OP_LE",
            Self::Gt => "FILTER_OP_GT",
            Self::Ge => "FILTER_OP_GE",
            Self::Not => "FILTER_OP_NOT",
            Self::And => "FILTER_OP_AND",
            Self::Xor => "FILTER_OP_XOR",
            Self::Or => "FILTER_OP_OR",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for FilterOp {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "FILTER_OP_UNSPECIFIED",
            "FILTER_OP_EQ",
            "FILTER_OP_NE",
            "FILTER_OP_LT",
            "FILTER_OP_LE",
            "FILTER_OP_GT",
            "FILTER_OP_GE",
            "FILTER_OP_NOT",
            "FILTER_OP_AND",
            "FILTER_OP_XOR",
            "FILTER_OP_OR",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = FilterOp;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "FILTER_OP_UNSPECIFIED" => Ok(FilterOp::Unspecified),
                    "FILTER_OP_EQ" => Ok(FilterOp::Eq),
                    "FILTER_OP_NE" => Ok(FilterOp::Ne),
                    "FILTER_OP_LT" => Ok(FilterOp::Lt),
                    "FILTER_OP_LE" => Ok(FilterOp::Le),
                    "FILTER_OP_GT" => Ok(FilterOp::Gt),
                    "FILTER_OP_GE" => Ok(FilterOp::Ge),
                    "FILTER_OP_NOT" => Ok(FilterOp::Not),
                    "FILTER_OP_AND" => Ok(FilterOp::And),
                    "FILTER_OP_XOR" => Ok(FilterOp::Xor),
                    "FILTER_OP_OR" => Ok(FilterOp::Or),
                    _ => Err(serde::de::Error::unknown_variant(value, FIELDS)),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for FilterOperand {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::Unspecified => "FILTER_OPERAND_UNSPECIFIED",
            Self::InputPort => "FILTER_OPERAND_INPUT_PORT",
            Self::SrcAddr => "FILTER_OPERAND_SRC_ADDR",
            Self::DstAddr => "FILTER_OPERAND_DST_ADDR",
            Self::Protocol => "FILTER_OPERAND_PROTOCOL",
            Self::SrcPort => "FILTER_OPERAND_SRC_PORT",
            Self::DstPort => "FILTER_OPERAND_DST_PORT",
            Self::Prio => "FILTER_OPERAND_PRIO",
            Self::MsecsSince => "FILTER_OPERAND_MSECS_SINCE",
            Self::Cmd => "FILTER_OPERAND_CMD",
            Self::Family => "FILTER_OPERAND_FAMILY",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for FilterOperand {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "FILTER_OPERAND_UNSPECIFIED",
            "FILTER_OPERAND_INPUT_PORT",
            "FILTER_OPERAND_SRC_ADDR",
            "FILTER_OPERAND_DST_ADDR",
            "FILTER_OPERAND_PROTOCOL",
            "FILTER_OPERAND_SRC_PORT",
            "FILTER_OPERAND_DST_PORT",
            "FILTER_OPERAND_PRIO",
            "FILTER_OPERAND_MSECS_SINCE",
            "FILTER_OPERAND_CMD",
            "FILTER_OPERAND_FAMILY",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = FilterOperand;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "FILTER_OPERAND_UNSPECIFIED" => Ok(FilterOperand::Unspecified),
                    "FILTER_OPERAND_INPUT_PORT" => Ok(FilterOperand::InputPort),
                    "FILTER_OPERAND_SRC_ADDR" => Ok(FilterOperand::SrcAddr),
                    "FILTER_OPERAND_DST_ADDR" => Ok(FilterOperand::DstAddr),
                    "FILTER_OPERAND_PROTOCOL" => Ok(FilterOperand::Protocol),
                    "FILTER_OPERAND_SRC_PORT" => Ok(FilterOperand::SrcPort),
                    "FILTER_OPERAND_DST_PORT" => Ok(FilterOperand::DstPort),
                    "FILTER_OPERAND_PRIO" => Ok(FilterOperand::Prio),
                    "FILTER_OPERAND_MSECS_SINCE" => Ok(FilterOperand::MsecsSince),
                    "FILTER_OPERAND_CMD" => Ok(FilterOperand::Cmd),
                    "FILTER_OPERAND_FAMILY" => Ok(FilterOperand::Family),
                    _ => Err(serde::de::Error::unknown_variant(value, FIELDS)),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for FilterStep {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.op != 0 {
            len += 1;
        }
        if self.operand != 0 {
            len += 1;
        }
        if self.mask != 0 {
            len += 1;
        }
        if self.value != 0 {
            len += 1;
        }
        if self.mask_high != 0 {
            len += 1;
        }
        if self.value_high != 0 {
            len += 1;
        }
        if self.family != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.FilterStep", len)?;
        if self.op != 0 {
            let v = FilterOp::try_from(self.op)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.op)))?;
            struct_ser.serialize_field("op", &v)?;
        }
        if self.operand != 0 {
            let v = FilterOperand::try_from(self.operand)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.operand)))?;
            struct_ser.serialize_field("operand", &v)?;
        }
        if self.mask != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("mask", ToString::to_string(&self.mask).as_str())?;
        }
        if self.value != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("value", ToString::to_string(&self.value).as_str())?;
        }
        if self.mask_high != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("maskHigh", ToString::to_string(&self.mask_high).as_str())?;
        }
        if self.value_high != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("valueHigh", ToString::to_string(&self.value_high).as_str())?;
        }
        if self.family != 0 {
            struct_ser.serialize_field("family", &self.family)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for FilterStep {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "op",
            "operand",
            "mask",
            "value",
            "mask_high",
            "maskHigh",
            "value_high",
            "valueHigh",
            "family",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Op,
            Operand,
            Mask,
            Value,
            MaskHigh,
            ValueHigh,
            Family,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "op" => Ok(GeneratedField::Op),
                            "operand" => Ok(GeneratedField::Operand),
                            "mask" => Ok(GeneratedField::Mask),
                            "value" => Ok(GeneratedField::Value),
                            "maskHigh" | "mask_high" => Ok(GeneratedField::MaskHigh),
                            "valueHigh" | "value_high" => Ok(GeneratedField::ValueHigh),
                            "family" => Ok(GeneratedField::Family),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = FilterStep;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.FilterStep")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<FilterStep, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut op__ = None;
                let mut operand__ = None;
                let mut mask__ = None;
                let mut value__ = None;
                let mut mask_high__ = None;
                let mut value_high__ = None;
                let mut family__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Op => {
                            if op__.is_some() {
                                return Err(serde::de::Error::duplicate_field("op"));
                            }
                            op__ = Some(map_.next_value::<FilterOp>()? as i32);
                        }
                        GeneratedField::Operand => {
                            if operand__.is_some() {
                                return Err(serde::de::Error::duplicate_field("operand"));
                            }
                            operand__ = Some(map_.next_value::<FilterOperand>()? as i32);
                        }
                        GeneratedField::Mask => {
                            if mask__.is_some() {
                                return Err(serde::de::Error::duplicate_field("mask"));
                            }
                            mask__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Value => {
                            if value__.is_some() {
                                return Err(serde::de::Error::duplicate_field("value"));
                            }
                            value__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::MaskHigh => {
                            if mask_high__.is_some() {
                                return Err(serde::de::Error::duplicate_field("maskHigh"));
                            }
                            mask_high__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::ValueHigh => {
                            if value_high__.is_some() {
                                return Err(serde::de::Error::duplicate_field("valueHigh"));
                            }
                            value_high__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Family => {
                            if family__.is_some() {
                                return Err(serde::de::Error::duplicate_field("family"));
                            }
                            family__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(FilterStep {
                    op: op__.unwrap_or_default(),
                    operand: operand__.unwrap_or_default(),
                    mask: mask__.unwrap_or_default(),
                    value: value__.unwrap_or_default(),
                    mask_high: mask_high__.unwrap_or_default(),
                    value_high: value_high__.unwrap_or_default(),
                    family: family__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.FilterStep", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for FlushCommand {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.filter.is_some() {
            len += 1;
        }
        if self.actor.is_some() {
            len += 1;
        }
        if !self.pipeline.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.FlushCommand", len)?;
        if let Some(v) = self.filter.as_ref() {
            struct_ser.serialize_field("filter", v)?;
        }
        if let Some(v) = self.actor.as_ref() {
            struct_ser.serialize_field("actor", v)?;
        }
        if !self.pipeline.is_empty() {
            struct_ser.serialize_field("pipeline", &self.pipeline)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for FlushCommand {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "filter",
            "actor",
            "pipeline",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Filter,
            Actor,
            Pipeline,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "filter" => Ok(GeneratedField::Filter),
                            "actor" => Ok(GeneratedField::Actor),
                            "pipeline" => Ok(GeneratedField::Pipeline),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = FlushCommand;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.FlushCommand")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<FlushCommand, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut filter__ = None;
                let mut actor__ = None;
                let mut pipeline__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Filter => {
                            if filter__.is_some() {
                                return Err(serde::de::Error::duplicate_field("filter"));
                            }
                            filter__ = map_.next_value()?;
                        }
                        GeneratedField::Actor => {
                            if actor__.is_some() {
                                return Err(serde::de::Error::duplicate_field("actor"));
                            }
                            actor__ = map_.next_value()?;
                        }
                        GeneratedField::Pipeline => {
                            if pipeline__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pipeline"));
                            }
                            pipeline__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(FlushCommand {
                    filter: filter__,
                    actor: actor__,
                    pipeline: pipeline__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.FlushCommand", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for FlushEntriesRequest {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.filter.is_empty() {
            len += 1;
        }
        if !self.dataplane.is_empty() {
            len += 1;
        }
        if !self.pipeline.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.FlushEntriesRequest", len)?;
        if !self.filter.is_empty() {
            struct_ser.serialize_field("filter", &self.filter)?;
        }
        if !self.dataplane.is_empty() {
            struct_ser.serialize_field("dataplane", &self.dataplane)?;
        }
        if !self.pipeline.is_empty() {
            struct_ser.serialize_field("pipeline", &self.pipeline)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for FlushEntriesRequest {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "filter",
            "dataplane",
            "pipeline",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Filter,
            Dataplane,
            Pipeline,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "filter" => Ok(GeneratedField::Filter),
                            "dataplane" => Ok(GeneratedField::Dataplane),
                            "pipeline" => Ok(GeneratedField::Pipeline),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = FlushEntriesRequest;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.FlushEntriesRequest")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<FlushEntriesRequest, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut filter__ = None;
                let mut dataplane__ = None;
                let mut pipeline__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Filter => {
                            if filter__.is_some() {
                                return Err(serde::de::Error::duplicate_field("filter"));
                            }
                            filter__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Dataplane => {
                            if dataplane__.is_some() {
                                return Err(serde::de::Error::duplicate_field("dataplane"));
                            }
                            dataplane__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Pipeline => {
                            if pipeline__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pipeline"));
                            }
                            pipeline__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(FlushEntriesRequest {
                    filter: filter__.unwrap_or_default(),
                    dataplane: dataplane__.unwrap_or_default(),
                    pipeline: pipeline__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.FlushEntriesRequest", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for FlushEntriesResponse {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.deleted != 0 {
            len += 1;
        }
        if self.failed != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.FlushEntriesResponse", len)?;
        if self.deleted != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("deleted", ToString::to_string(&self.deleted).as_str())?;
        }
        if self.failed != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("failed", ToString::to_string(&self.failed).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for FlushEntriesResponse {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "deleted",
            "failed",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Deleted,
            Failed,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "deleted" => Ok(GeneratedField::Deleted),
                            "failed" => Ok(GeneratedField::Failed),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = FlushEntriesResponse;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.FlushEntriesResponse")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<FlushEntriesResponse, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut deleted__ = None;
                let mut failed__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Deleted => {
                            if deleted__.is_some() {
                                return Err(serde::de::Error::duplicate_field("deleted"));
                            }
                            deleted__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Failed => {
                            if failed__.is_some() {
                                return Err(serde::de::Error::duplicate_field("failed"));
                            }
                            failed__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(FlushEntriesResponse {
                    deleted: deleted__.unwrap_or_default(),
                    failed: failed__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.FlushEntriesResponse", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for GetCommand {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.key.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.GetCommand", len)?;
        if !self.key.is_empty() {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("key", pbjson::private::base64::encode(&self.key).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for GetCommand {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "key",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Key,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "key" => Ok(GeneratedField::Key),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = GetCommand;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.GetCommand")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<GetCommand, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut key__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Key => {
                            if key__.is_some() {
                                return Err(serde::de::Error::duplicate_field("key"));
                            }
                            key__ = 
                                Some(map_.next_value::<::pbjson::private::BytesDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(GetCommand {
                    key: key__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.GetCommand", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for GetEntryRequest {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.key.is_some() {
            len += 1;
        }
        if !self.dataplane.is_empty() {
            len += 1;
        }
        if !self.pipeline.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.GetEntryRequest", len)?;
        if let Some(v) = self.key.as_ref() {
            struct_ser.serialize_field("key", v)?;
        }
        if !self.dataplane.is_empty() {
            struct_ser.serialize_field("dataplane", &self.dataplane)?;
        }
        if !self.pipeline.is_empty() {
            struct_ser.serialize_field("pipeline", &self.pipeline)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for GetEntryRequest {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "key",
            "dataplane",
            "pipeline",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Key,
            Dataplane,
            Pipeline,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "key" => Ok(GeneratedField::Key),
                            "dataplane" => Ok(GeneratedField::Dataplane),
                            "pipeline" => Ok(GeneratedField::Pipeline),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = GetEntryRequest;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.GetEntryRequest")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<GetEntryRequest, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut key__ = None;
                let mut dataplane__ = None;
                let mut pipeline__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Key => {
                            if key__.is_some() {
                                return Err(serde::de::Error::duplicate_field("key"));
                            }
                            key__ = map_.next_value()?;
                        }
                        GeneratedField::Dataplane => {
                            if dataplane__.is_some() {
                                return Err(serde::de::Error::duplicate_field("dataplane"));
                            }
                            dataplane__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Pipeline => {
                            if pipeline__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pipeline"));
                            }
                            pipeline__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(GetEntryRequest {
                    key: key__,
                    dataplane: dataplane__.unwrap_or_default(),
                    pipeline: pipeline__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.GetEntryRequest", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for GetEntryResponse {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.entry.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.GetEntryResponse", len)?;
        if let Some(v) = self.entry.as_ref() {
            struct_ser.serialize_field("entry", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for GetEntryResponse {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "entry",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Entry,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "entry" => Ok(GeneratedField::Entry),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = GetEntryResponse;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.GetEntryResponse")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<GetEntryResponse, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut entry__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Entry => {
                            if entry__.is_some() {
                                return Err(serde::de::Error::duplicate_field("entry"));
                            }
                            entry__ = map_.next_value()?;
                        }
                    }
                }
                Ok(GetEntryResponse {
                    entry: entry__,
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.GetEntryResponse", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for GetIntrospectionRequest {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.dataplane.is_empty() {
            len += 1;
        }
        if !self.pipeline.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.GetIntrospectionRequest", len)?;
        if !self.dataplane.is_empty() {
            struct_ser.serialize_field("dataplane", &self.dataplane)?;
        }
        if !self.pipeline.is_empty() {
            struct_ser.serialize_field("pipeline", &self.pipeline)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for GetIntrospectionRequest {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "dataplane",
            "pipeline",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Dataplane,
            Pipeline,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "dataplane" => Ok(GeneratedField::Dataplane),
                            "pipeline" => Ok(GeneratedField::Pipeline),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = GetIntrospectionRequest;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.GetIntrospectionRequest")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<GetIntrospectionRequest, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut dataplane__ = None;
                let mut pipeline__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Dataplane => {
                            if dataplane__.is_some() {
                                return Err(serde::de::Error::duplicate_field("dataplane"));
                            }
                            dataplane__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Pipeline => {
                            if pipeline__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pipeline"));
                            }
                            pipeline__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(GetIntrospectionRequest {
                    dataplane: dataplane__.unwrap_or_default(),
                    pipeline: pipeline__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.GetIntrospectionRequest", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for GetIntrospectionResponse {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.json.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.GetIntrospectionResponse", len)?;
        if !self.json.is_empty() {
            struct_ser.serialize_field("json", &self.json)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for GetIntrospectionResponse {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "json",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Json,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "json" => Ok(GeneratedField::Json),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = GetIntrospectionResponse;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.GetIntrospectionResponse")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<GetIntrospectionResponse, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut json__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Json => {
                            if json__.is_some() {
                                return Err(serde::de::Error::duplicate_field("json"));
                            }
                            json__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(GetIntrospectionResponse {
                    json: json__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.GetIntrospectionResponse", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for GetStatsRequest {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.dataplane.is_empty() {
            len += 1;
        }
        if !self.pipeline.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.GetStatsRequest", len)?;
        if !self.dataplane.is_empty() {
            struct_ser.serialize_field("dataplane", &self.dataplane)?;
        }
        if !self.pipeline.is_empty() {
            struct_ser.serialize_field("pipeline", &self.pipeline)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for GetStatsRequest {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "dataplane",
            "pipeline",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Dataplane,
            Pipeline,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "dataplane" => Ok(GeneratedField::Dataplane),
                            "pipeline" => Ok(GeneratedField::Pipeline),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = GetStatsRequest;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.GetStatsRequest")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<GetStatsRequest, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut dataplane__ = None;
                let mut pipeline__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Dataplane => {
                            if dataplane__.is_some() {
                                return Err(serde::de::Error::duplicate_field("dataplane"));
                            }
                            dataplane__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Pipeline => {
                            if pipeline__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pipeline"));
                            }
                            pipeline__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(GetStatsRequest {
                    dataplane: dataplane__.unwrap_or_default(),
                    pipeline: pipeline__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.GetStatsRequest", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for GetStatsResponse {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.dataplanes.is_empty() {
            len += 1;
        }
        if self.log.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.GetStatsResponse", len)?;
        if !self.dataplanes.is_empty() {
            struct_ser.serialize_field("dataplanes", &self.dataplanes)?;
        }
        if let Some(v) = self.log.as_ref() {
            struct_ser.serialize_field("log", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for GetStatsResponse {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "dataplanes",
            "log",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Dataplanes,
            Log,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "dataplanes" => Ok(GeneratedField::Dataplanes),
                            "log" => Ok(GeneratedField::Log),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = GetStatsResponse;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.GetStatsResponse")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<GetStatsResponse, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut dataplanes__ = None;
                let mut log__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Dataplanes => {
                            if dataplanes__.is_some() {
                                return Err(serde::de::Error::duplicate_field("dataplanes"));
                            }
                            dataplanes__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Log => {
                            if log__.is_some() {
                                return Err(serde::de::Error::duplicate_field("log"));
                            }
                            log__ = map_.next_value()?;
                        }
                    }
                }
                Ok(GetStatsResponse {
                    dataplanes: dataplanes__.unwrap_or_default(),
                    log: log__,
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.GetStatsResponse", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for GetTableRequest {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.dataplane.is_empty() {
            len += 1;
        }
        if !self.pipeline.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.GetTableRequest", len)?;
        if !self.dataplane.is_empty() {
            struct_ser.serialize_field("dataplane", &self.dataplane)?;
        }
        if !self.pipeline.is_empty() {
            struct_ser.serialize_field("pipeline", &self.pipeline)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for GetTableRequest {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "dataplane",
            "pipeline",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Dataplane,
            Pipeline,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "dataplane" => Ok(GeneratedField::Dataplane),
                            "pipeline" => Ok(GeneratedField::Pipeline),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = GetTableRequest;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.GetTableRequest")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<GetTableRequest, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut dataplane__ = None;
                let mut pipeline__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Dataplane => {
                            if dataplane__.is_some() {
                                return Err(serde::de::Error::duplicate_field("dataplane"));
                            }
                            dataplane__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Pipeline => {
                            if pipeline__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pipeline"));
                            }
                            pipeline__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(GetTableRequest {
                    dataplane: dataplane__.unwrap_or_default(),
                    pipeline: pipeline__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.GetTableRequest", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for GetTableResponse {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.table.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.GetTableResponse", len)?;
        if let Some(v) = self.table.as_ref() {
            struct_ser.serialize_field("table", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for GetTableResponse {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "table",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Table,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "table" => Ok(GeneratedField::Table),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = GetTableResponse;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.GetTableResponse")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<GetTableResponse, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut table__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Table => {
                            if table__.is_some() {
                                return Err(serde::de::Error::duplicate_field("table"));
                            }
                            table__ = map_.next_value()?;
                        }
                    }
                }
                Ok(GetTableResponse {
                    table: table__,
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.GetTableResponse", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Hello {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.dataplane.is_empty() {
            len += 1;
        }
        if self.instance != 0 {
            len += 1;
        }
        if !self.version.is_empty() {
            len += 1;
        }
        if !self.shards.is_empty() {
            len += 1;
        }
        if !self.ports.is_empty() {
            len += 1;
        }
        if self.pid != 0 {
            len += 1;
        }
        if self.record_version != 0 {
            len += 1;
        }
        if !self.capacities.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.Hello", len)?;
        if !self.dataplane.is_empty() {
            struct_ser.serialize_field("dataplane", &self.dataplane)?;
        }
        if self.instance != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("instance", ToString::to_string(&self.instance).as_str())?;
        }
        if !self.version.is_empty() {
            struct_ser.serialize_field("version", &self.version)?;
        }
        if !self.shards.is_empty() {
            struct_ser.serialize_field("shards", &self.shards)?;
        }
        if !self.ports.is_empty() {
            struct_ser.serialize_field("ports", &self.ports)?;
        }
        if self.pid != 0 {
            struct_ser.serialize_field("pid", &self.pid)?;
        }
        if self.record_version != 0 {
            struct_ser.serialize_field("recordVersion", &self.record_version)?;
        }
        if !self.capacities.is_empty() {
            struct_ser.serialize_field("capacities", &self.capacities)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Hello {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "dataplane",
            "instance",
            "version",
            "shards",
            "ports",
            "pid",
            "record_version",
            "recordVersion",
            "capacities",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Dataplane,
            Instance,
            Version,
            Shards,
            Ports,
            Pid,
            RecordVersion,
            Capacities,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "dataplane" => Ok(GeneratedField::Dataplane),
                            "instance" => Ok(GeneratedField::Instance),
                            "version" => Ok(GeneratedField::Version),
                            "shards" => Ok(GeneratedField::Shards),
                            "ports" => Ok(GeneratedField::Ports),
                            "pid" => Ok(GeneratedField::Pid),
                            "recordVersion" | "record_version" => Ok(GeneratedField::RecordVersion),
                            "capacities" => Ok(GeneratedField::Capacities),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Hello;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.Hello")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Hello, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut dataplane__ = None;
                let mut instance__ = None;
                let mut version__ = None;
                let mut shards__ = None;
                let mut ports__ = None;
                let mut pid__ = None;
                let mut record_version__ = None;
                let mut capacities__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Dataplane => {
                            if dataplane__.is_some() {
                                return Err(serde::de::Error::duplicate_field("dataplane"));
                            }
                            dataplane__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Instance => {
                            if instance__.is_some() {
                                return Err(serde::de::Error::duplicate_field("instance"));
                            }
                            instance__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Version => {
                            if version__.is_some() {
                                return Err(serde::de::Error::duplicate_field("version"));
                            }
                            version__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Shards => {
                            if shards__.is_some() {
                                return Err(serde::de::Error::duplicate_field("shards"));
                            }
                            shards__ = 
                                Some(map_.next_value::<Vec<::pbjson::private::NumberDeserialize<_>>>()?
                                    .into_iter().map(|x| x.0).collect())
                            ;
                        }
                        GeneratedField::Ports => {
                            if ports__.is_some() {
                                return Err(serde::de::Error::duplicate_field("ports"));
                            }
                            ports__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Pid => {
                            if pid__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pid"));
                            }
                            pid__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::RecordVersion => {
                            if record_version__.is_some() {
                                return Err(serde::de::Error::duplicate_field("recordVersion"));
                            }
                            record_version__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Capacities => {
                            if capacities__.is_some() {
                                return Err(serde::de::Error::duplicate_field("capacities"));
                            }
                            capacities__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(Hello {
                    dataplane: dataplane__.unwrap_or_default(),
                    instance: instance__.unwrap_or_default(),
                    version: version__.unwrap_or_default(),
                    shards: shards__.unwrap_or_default(),
                    ports: ports__.unwrap_or_default(),
                    pid: pid__.unwrap_or_default(),
                    record_version: record_version__.unwrap_or_default(),
                    capacities: capacities__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.Hello", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Key {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.input_port.is_empty() {
            len += 1;
        }
        if !self.src_addr.is_empty() {
            len += 1;
        }
        if !self.dst_addr.is_empty() {
            len += 1;
        }
        if self.protocol != 0 {
            len += 1;
        }
        if self.src_port != 0 {
            len += 1;
        }
        if self.dst_port != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.Key", len)?;
        if !self.input_port.is_empty() {
            struct_ser.serialize_field("inputPort", &self.input_port)?;
        }
        if !self.src_addr.is_empty() {
            struct_ser.serialize_field("srcAddr", &self.src_addr)?;
        }
        if !self.dst_addr.is_empty() {
            struct_ser.serialize_field("dstAddr", &self.dst_addr)?;
        }
        if self.protocol != 0 {
            struct_ser.serialize_field("protocol", &self.protocol)?;
        }
        if self.src_port != 0 {
            struct_ser.serialize_field("srcPort", &self.src_port)?;
        }
        if self.dst_port != 0 {
            struct_ser.serialize_field("dstPort", &self.dst_port)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Key {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "input_port",
            "inputPort",
            "src_addr",
            "srcAddr",
            "dst_addr",
            "dstAddr",
            "protocol",
            "src_port",
            "srcPort",
            "dst_port",
            "dstPort",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            InputPort,
            SrcAddr,
            DstAddr,
            Protocol,
            SrcPort,
            DstPort,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "inputPort" | "input_port" => Ok(GeneratedField::InputPort),
                            "srcAddr" | "src_addr" => Ok(GeneratedField::SrcAddr),
                            "dstAddr" | "dst_addr" => Ok(GeneratedField::DstAddr),
                            "protocol" => Ok(GeneratedField::Protocol),
                            "srcPort" | "src_port" => Ok(GeneratedField::SrcPort),
                            "dstPort" | "dst_port" => Ok(GeneratedField::DstPort),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Key;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.Key")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Key, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut input_port__ = None;
                let mut src_addr__ = None;
                let mut dst_addr__ = None;
                let mut protocol__ = None;
                let mut src_port__ = None;
                let mut dst_port__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::InputPort => {
                            if input_port__.is_some() {
                                return Err(serde::de::Error::duplicate_field("inputPort"));
                            }
                            input_port__ = Some(map_.next_value()?);
                        }
                        GeneratedField::SrcAddr => {
                            if src_addr__.is_some() {
                                return Err(serde::de::Error::duplicate_field("srcAddr"));
                            }
                            src_addr__ = Some(map_.next_value()?);
                        }
                        GeneratedField::DstAddr => {
                            if dst_addr__.is_some() {
                                return Err(serde::de::Error::duplicate_field("dstAddr"));
                            }
                            dst_addr__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Protocol => {
                            if protocol__.is_some() {
                                return Err(serde::de::Error::duplicate_field("protocol"));
                            }
                            protocol__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::SrcPort => {
                            if src_port__.is_some() {
                                return Err(serde::de::Error::duplicate_field("srcPort"));
                            }
                            src_port__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::DstPort => {
                            if dst_port__.is_some() {
                                return Err(serde::de::Error::duplicate_field("dstPort"));
                            }
                            dst_port__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(Key {
                    input_port: input_port__.unwrap_or_default(),
                    src_addr: src_addr__.unwrap_or_default(),
                    dst_addr: dst_addr__.unwrap_or_default(),
                    protocol: protocol__.unwrap_or_default(),
                    src_port: src_port__.unwrap_or_default(),
                    dst_port: dst_port__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.Key", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for LcoreStats {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.lcore != 0 {
            len += 1;
        }
        if self.rx != 0 {
            len += 1;
        }
        if self.tx != 0 {
            len += 1;
        }
        if self.tx_dropped != 0 {
            len += 1;
        }
        if self.outcomes.is_some() {
            len += 1;
        }
        if self.entries != 0 {
            len += 1;
        }
        if self.capacity != 0 {
            len += 1;
        }
        if self.expired != 0 {
            len += 1;
        }
        if self.deleted != 0 {
            len += 1;
        }
        if self.events_sent != 0 {
            len += 1;
        }
        if self.events_deferred != 0 {
            len += 1;
        }
        if self.events_unlinked != 0 {
            len += 1;
        }
        if !self.expiry_lateness_log2_ms.is_empty() {
            len += 1;
        }
        if self.polls != 0 {
            len += 1;
        }
        if self.busy_polls != 0 {
            len += 1;
        }
        if self.expired_deferred != 0 {
            len += 1;
        }
        if self.filtered != 0 {
            len += 1;
        }
        if self.stalls != 0 {
            len += 1;
        }
        if self.stalled {
            len += 1;
        }
        if !self.loop_time.is_empty() {
            len += 1;
        }
        if !self.tables.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.LcoreStats", len)?;
        if self.lcore != 0 {
            struct_ser.serialize_field("lcore", &self.lcore)?;
        }
        if self.rx != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("rx", ToString::to_string(&self.rx).as_str())?;
        }
        if self.tx != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("tx", ToString::to_string(&self.tx).as_str())?;
        }
        if self.tx_dropped != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("txDropped", ToString::to_string(&self.tx_dropped).as_str())?;
        }
        if let Some(v) = self.outcomes.as_ref() {
            struct_ser.serialize_field("outcomes", v)?;
        }
        if self.entries != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("entries", ToString::to_string(&self.entries).as_str())?;
        }
        if self.capacity != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("capacity", ToString::to_string(&self.capacity).as_str())?;
        }
        if self.expired != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("expired", ToString::to_string(&self.expired).as_str())?;
        }
        if self.deleted != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("deleted", ToString::to_string(&self.deleted).as_str())?;
        }
        if self.events_sent != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("eventsSent", ToString::to_string(&self.events_sent).as_str())?;
        }
        if self.events_deferred != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("eventsDeferred", ToString::to_string(&self.events_deferred).as_str())?;
        }
        if self.events_unlinked != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("eventsUnlinked", ToString::to_string(&self.events_unlinked).as_str())?;
        }
        if !self.expiry_lateness_log2_ms.is_empty() {
            struct_ser.serialize_field("expiryLatenessLog2Ms", &self.expiry_lateness_log2_ms.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        }
        if self.polls != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("polls", ToString::to_string(&self.polls).as_str())?;
        }
        if self.busy_polls != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("busyPolls", ToString::to_string(&self.busy_polls).as_str())?;
        }
        if self.expired_deferred != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("expiredDeferred", ToString::to_string(&self.expired_deferred).as_str())?;
        }
        if self.filtered != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("filtered", ToString::to_string(&self.filtered).as_str())?;
        }
        if self.stalls != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("stalls", ToString::to_string(&self.stalls).as_str())?;
        }
        if self.stalled {
            struct_ser.serialize_field("stalled", &self.stalled)?;
        }
        if !self.loop_time.is_empty() {
            struct_ser.serialize_field("loopTime", &self.loop_time.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        }
        if !self.tables.is_empty() {
            struct_ser.serialize_field("tables", &self.tables)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for LcoreStats {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "lcore",
            "rx",
            "tx",
            "tx_dropped",
            "txDropped",
            "outcomes",
            "entries",
            "capacity",
            "expired",
            "deleted",
            "events_sent",
            "eventsSent",
            "events_deferred",
            "eventsDeferred",
            "events_unlinked",
            "eventsUnlinked",
            "expiry_lateness_log2_ms",
            "expiryLatenessLog2Ms",
            "polls",
            "busy_polls",
            "busyPolls",
            "expired_deferred",
            "expiredDeferred",
            "filtered",
            "stalls",
            "stalled",
            "loop_time",
            "loopTime",
            "tables",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Lcore,
            Rx,
            Tx,
            TxDropped,
            Outcomes,
            Entries,
            Capacity,
            Expired,
            Deleted,
            EventsSent,
            EventsDeferred,
            EventsUnlinked,
            ExpiryLatenessLog2Ms,
            Polls,
            BusyPolls,
            ExpiredDeferred,
            Filtered,
            Stalls,
            Stalled,
            LoopTime,
            Tables,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "lcore" => Ok(GeneratedField::Lcore),
                            "rx" => Ok(GeneratedField::Rx),
                            "tx" => Ok(GeneratedField::Tx),
                            "txDropped" | "tx_dropped" => Ok(GeneratedField::TxDropped),
                            "outcomes" => Ok(GeneratedField::Outcomes),
                            "entries" => Ok(GeneratedField::Entries),
                            "capacity" => Ok(GeneratedField::Capacity),
                            "expired" => Ok(GeneratedField::Expired),
                            "deleted" => Ok(GeneratedField::Deleted),
                            "eventsSent" | "events_sent" => Ok(GeneratedField::EventsSent),
                            "eventsDeferred" | "events_deferred" => Ok(GeneratedField::EventsDeferred),
                            "eventsUnlinked" | "events_unlinked" => Ok(GeneratedField::EventsUnlinked),
                            "expiryLatenessLog2Ms" | "expiry_lateness_log2_ms" => Ok(GeneratedField::ExpiryLatenessLog2Ms),
                            "polls" => Ok(GeneratedField::Polls),
                            "busyPolls" | "busy_polls" => Ok(GeneratedField::BusyPolls),
                            "expiredDeferred" | "expired_deferred" => Ok(GeneratedField::ExpiredDeferred),
                            "filtered" => Ok(GeneratedField::Filtered),
                            "stalls" => Ok(GeneratedField::Stalls),
                            "stalled" => Ok(GeneratedField::Stalled),
                            "loopTime" | "loop_time" => Ok(GeneratedField::LoopTime),
                            "tables" => Ok(GeneratedField::Tables),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = LcoreStats;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.LcoreStats")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<LcoreStats, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut lcore__ = None;
                let mut rx__ = None;
                let mut tx__ = None;
                let mut tx_dropped__ = None;
                let mut outcomes__ = None;
                let mut entries__ = None;
                let mut capacity__ = None;
                let mut expired__ = None;
                let mut deleted__ = None;
                let mut events_sent__ = None;
                let mut events_deferred__ = None;
                let mut events_unlinked__ = None;
                let mut expiry_lateness_log2_ms__ = None;
                let mut polls__ = None;
                let mut busy_polls__ = None;
                let mut expired_deferred__ = None;
                let mut filtered__ = None;
                let mut stalls__ = None;
                let mut stalled__ = None;
                let mut loop_time__ = None;
                let mut tables__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Lcore => {
                            if lcore__.is_some() {
                                return Err(serde::de::Error::duplicate_field("lcore"));
                            }
                            lcore__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Rx => {
                            if rx__.is_some() {
                                return Err(serde::de::Error::duplicate_field("rx"));
                            }
                            rx__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Tx => {
                            if tx__.is_some() {
                                return Err(serde::de::Error::duplicate_field("tx"));
                            }
                            tx__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::TxDropped => {
                            if tx_dropped__.is_some() {
                                return Err(serde::de::Error::duplicate_field("txDropped"));
                            }
                            tx_dropped__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Outcomes => {
                            if outcomes__.is_some() {
                                return Err(serde::de::Error::duplicate_field("outcomes"));
                            }
                            outcomes__ = map_.next_value()?;
                        }
                        GeneratedField::Entries => {
                            if entries__.is_some() {
                                return Err(serde::de::Error::duplicate_field("entries"));
                            }
                            entries__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Capacity => {
                            if capacity__.is_some() {
                                return Err(serde::de::Error::duplicate_field("capacity"));
                            }
                            capacity__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Expired => {
                            if expired__.is_some() {
                                return Err(serde::de::Error::duplicate_field("expired"));
                            }
                            expired__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Deleted => {
                            if deleted__.is_some() {
                                return Err(serde::de::Error::duplicate_field("deleted"));
                            }
                            deleted__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::EventsSent => {
                            if events_sent__.is_some() {
                                return Err(serde::de::Error::duplicate_field("eventsSent"));
                            }
                            events_sent__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::EventsDeferred => {
                            if events_deferred__.is_some() {
                                return Err(serde::de::Error::duplicate_field("eventsDeferred"));
                            }
                            events_deferred__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::EventsUnlinked => {
                            if events_unlinked__.is_some() {
                                return Err(serde::de::Error::duplicate_field("eventsUnlinked"));
                            }
                            events_unlinked__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::ExpiryLatenessLog2Ms => {
                            if expiry_lateness_log2_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("expiryLatenessLog2Ms"));
                            }
                            expiry_lateness_log2_ms__ = 
                                Some(map_.next_value::<Vec<::pbjson::private::NumberDeserialize<_>>>()?
                                    .into_iter().map(|x| x.0).collect())
                            ;
                        }
                        GeneratedField::Polls => {
                            if polls__.is_some() {
                                return Err(serde::de::Error::duplicate_field("polls"));
                            }
                            polls__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::BusyPolls => {
                            if busy_polls__.is_some() {
                                return Err(serde::de::Error::duplicate_field("busyPolls"));
                            }
                            busy_polls__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::ExpiredDeferred => {
                            if expired_deferred__.is_some() {
                                return Err(serde::de::Error::duplicate_field("expiredDeferred"));
                            }
                            expired_deferred__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Filtered => {
                            if filtered__.is_some() {
                                return Err(serde::de::Error::duplicate_field("filtered"));
                            }
                            filtered__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Stalls => {
                            if stalls__.is_some() {
                                return Err(serde::de::Error::duplicate_field("stalls"));
                            }
                            stalls__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Stalled => {
                            if stalled__.is_some() {
                                return Err(serde::de::Error::duplicate_field("stalled"));
                            }
                            stalled__ = Some(map_.next_value()?);
                        }
                        GeneratedField::LoopTime => {
                            if loop_time__.is_some() {
                                return Err(serde::de::Error::duplicate_field("loopTime"));
                            }
                            loop_time__ = 
                                Some(map_.next_value::<Vec<::pbjson::private::NumberDeserialize<_>>>()?
                                    .into_iter().map(|x| x.0).collect())
                            ;
                        }
                        GeneratedField::Tables => {
                            if tables__.is_some() {
                                return Err(serde::de::Error::duplicate_field("tables"));
                            }
                            tables__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(LcoreStats {
                    lcore: lcore__.unwrap_or_default(),
                    rx: rx__.unwrap_or_default(),
                    tx: tx__.unwrap_or_default(),
                    tx_dropped: tx_dropped__.unwrap_or_default(),
                    outcomes: outcomes__,
                    entries: entries__.unwrap_or_default(),
                    capacity: capacity__.unwrap_or_default(),
                    expired: expired__.unwrap_or_default(),
                    deleted: deleted__.unwrap_or_default(),
                    events_sent: events_sent__.unwrap_or_default(),
                    events_deferred: events_deferred__.unwrap_or_default(),
                    events_unlinked: events_unlinked__.unwrap_or_default(),
                    expiry_lateness_log2_ms: expiry_lateness_log2_ms__.unwrap_or_default(),
                    polls: polls__.unwrap_or_default(),
                    busy_polls: busy_polls__.unwrap_or_default(),
                    expired_deferred: expired_deferred__.unwrap_or_default(),
                    filtered: filtered__.unwrap_or_default(),
                    stalls: stalls__.unwrap_or_default(),
                    stalled: stalled__.unwrap_or_default(),
                    loop_time: loop_time__.unwrap_or_default(),
                    tables: tables__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.LcoreStats", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for LifecycleKind {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::Unspecified => "LIFECYCLE_KIND_UNSPECIFIED",
            Self::Purged => "LIFECYCLE_KIND_PURGED",
            Self::Loaded => "LIFECYCLE_KIND_LOADED",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for LifecycleKind {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "LIFECYCLE_KIND_UNSPECIFIED",
            "LIFECYCLE_KIND_PURGED",
            "LIFECYCLE_KIND_LOADED",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = LifecycleKind;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "LIFECYCLE_KIND_UNSPECIFIED" => Ok(LifecycleKind::Unspecified),
                    "LIFECYCLE_KIND_PURGED" => Ok(LifecycleKind::Purged),
                    "LIFECYCLE_KIND_LOADED" => Ok(LifecycleKind::Loaded),
                    _ => Err(serde::de::Error::unknown_variant(value, FIELDS)),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for ListDataplanesRequest {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let len = 0;
        let struct_ser = serializer.serialize_struct("flowtracker.v1.ListDataplanesRequest", len)?;
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ListDataplanesRequest {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                            Err(serde::de::Error::unknown_field(value, FIELDS))
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ListDataplanesRequest;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.ListDataplanesRequest")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ListDataplanesRequest, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                while map_.next_key::<GeneratedField>()?.is_some() {
                    let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                }
                Ok(ListDataplanesRequest {
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.ListDataplanesRequest", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ListDataplanesResponse {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.dataplanes.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.ListDataplanesResponse", len)?;
        if !self.dataplanes.is_empty() {
            struct_ser.serialize_field("dataplanes", &self.dataplanes)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ListDataplanesResponse {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "dataplanes",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Dataplanes,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "dataplanes" => Ok(GeneratedField::Dataplanes),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ListDataplanesResponse;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.ListDataplanesResponse")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ListDataplanesResponse, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut dataplanes__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Dataplanes => {
                            if dataplanes__.is_some() {
                                return Err(serde::de::Error::duplicate_field("dataplanes"));
                            }
                            dataplanes__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(ListDataplanesResponse {
                    dataplanes: dataplanes__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.ListDataplanesResponse", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ListEntriesRequest {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.filter.is_empty() {
            len += 1;
        }
        if !self.dataplane.is_empty() {
            len += 1;
        }
        if !self.pipeline.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.ListEntriesRequest", len)?;
        if !self.filter.is_empty() {
            struct_ser.serialize_field("filter", &self.filter)?;
        }
        if !self.dataplane.is_empty() {
            struct_ser.serialize_field("dataplane", &self.dataplane)?;
        }
        if !self.pipeline.is_empty() {
            struct_ser.serialize_field("pipeline", &self.pipeline)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ListEntriesRequest {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "filter",
            "dataplane",
            "pipeline",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Filter,
            Dataplane,
            Pipeline,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "filter" => Ok(GeneratedField::Filter),
                            "dataplane" => Ok(GeneratedField::Dataplane),
                            "pipeline" => Ok(GeneratedField::Pipeline),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ListEntriesRequest;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.ListEntriesRequest")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ListEntriesRequest, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut filter__ = None;
                let mut dataplane__ = None;
                let mut pipeline__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Filter => {
                            if filter__.is_some() {
                                return Err(serde::de::Error::duplicate_field("filter"));
                            }
                            filter__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Dataplane => {
                            if dataplane__.is_some() {
                                return Err(serde::de::Error::duplicate_field("dataplane"));
                            }
                            dataplane__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Pipeline => {
                            if pipeline__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pipeline"));
                            }
                            pipeline__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(ListEntriesRequest {
                    filter: filter__.unwrap_or_default(),
                    dataplane: dataplane__.unwrap_or_default(),
                    pipeline: pipeline__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.ListEntriesRequest", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ListEntriesResponse {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.entries.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.ListEntriesResponse", len)?;
        if !self.entries.is_empty() {
            struct_ser.serialize_field("entries", &self.entries)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ListEntriesResponse {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "entries",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Entries,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "entries" => Ok(GeneratedField::Entries),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ListEntriesResponse;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.ListEntriesResponse")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ListEntriesResponse, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut entries__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Entries => {
                            if entries__.is_some() {
                                return Err(serde::de::Error::duplicate_field("entries"));
                            }
                            entries__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(ListEntriesResponse {
                    entries: entries__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.ListEntriesResponse", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for LoadCommand {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.pipeline.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.LoadCommand", len)?;
        if !self.pipeline.is_empty() {
            struct_ser.serialize_field("pipeline", &self.pipeline)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for LoadCommand {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "pipeline",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Pipeline,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "pipeline" => Ok(GeneratedField::Pipeline),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = LoadCommand;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.LoadCommand")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<LoadCommand, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut pipeline__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Pipeline => {
                            if pipeline__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pipeline"));
                            }
                            pipeline__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(LoadCommand {
                    pipeline: pipeline__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.LoadCommand", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for LoadRequest {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.dataplane.is_empty() {
            len += 1;
        }
        if !self.pipeline.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.LoadRequest", len)?;
        if !self.dataplane.is_empty() {
            struct_ser.serialize_field("dataplane", &self.dataplane)?;
        }
        if !self.pipeline.is_empty() {
            struct_ser.serialize_field("pipeline", &self.pipeline)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for LoadRequest {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "dataplane",
            "pipeline",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Dataplane,
            Pipeline,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "dataplane" => Ok(GeneratedField::Dataplane),
                            "pipeline" => Ok(GeneratedField::Pipeline),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = LoadRequest;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.LoadRequest")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<LoadRequest, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut dataplane__ = None;
                let mut pipeline__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Dataplane => {
                            if dataplane__.is_some() {
                                return Err(serde::de::Error::duplicate_field("dataplane"));
                            }
                            dataplane__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Pipeline => {
                            if pipeline__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pipeline"));
                            }
                            pipeline__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(LoadRequest {
                    dataplane: dataplane__.unwrap_or_default(),
                    pipeline: pipeline__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.LoadRequest", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for LoadResponse {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let len = 0;
        let struct_ser = serializer.serialize_struct("flowtracker.v1.LoadResponse", len)?;
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for LoadResponse {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                            Err(serde::de::Error::unknown_field(value, FIELDS))
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = LoadResponse;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.LoadResponse")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<LoadResponse, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                while map_.next_key::<GeneratedField>()?.is_some() {
                    let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                }
                Ok(LoadResponse {
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.LoadResponse", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for LogStats {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.epoch != 0 {
            len += 1;
        }
        if self.last_seq != 0 {
            len += 1;
        }
        if self.oldest_seq != 0 {
            len += 1;
        }
        if self.watchers != 0 {
            len += 1;
        }
        if self.gaps != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.LogStats", len)?;
        if self.epoch != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("epoch", ToString::to_string(&self.epoch).as_str())?;
        }
        if self.last_seq != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("lastSeq", ToString::to_string(&self.last_seq).as_str())?;
        }
        if self.oldest_seq != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("oldestSeq", ToString::to_string(&self.oldest_seq).as_str())?;
        }
        if self.watchers != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("watchers", ToString::to_string(&self.watchers).as_str())?;
        }
        if self.gaps != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("gaps", ToString::to_string(&self.gaps).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for LogStats {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "epoch",
            "last_seq",
            "lastSeq",
            "oldest_seq",
            "oldestSeq",
            "watchers",
            "gaps",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Epoch,
            LastSeq,
            OldestSeq,
            Watchers,
            Gaps,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "epoch" => Ok(GeneratedField::Epoch),
                            "lastSeq" | "last_seq" => Ok(GeneratedField::LastSeq),
                            "oldestSeq" | "oldest_seq" => Ok(GeneratedField::OldestSeq),
                            "watchers" => Ok(GeneratedField::Watchers),
                            "gaps" => Ok(GeneratedField::Gaps),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = LogStats;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.LogStats")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<LogStats, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut epoch__ = None;
                let mut last_seq__ = None;
                let mut oldest_seq__ = None;
                let mut watchers__ = None;
                let mut gaps__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Epoch => {
                            if epoch__.is_some() {
                                return Err(serde::de::Error::duplicate_field("epoch"));
                            }
                            epoch__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::LastSeq => {
                            if last_seq__.is_some() {
                                return Err(serde::de::Error::duplicate_field("lastSeq"));
                            }
                            last_seq__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::OldestSeq => {
                            if oldest_seq__.is_some() {
                                return Err(serde::de::Error::duplicate_field("oldestSeq"));
                            }
                            oldest_seq__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Watchers => {
                            if watchers__.is_some() {
                                return Err(serde::de::Error::duplicate_field("watchers"));
                            }
                            watchers__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Gaps => {
                            if gaps__.is_some() {
                                return Err(serde::de::Error::duplicate_field("gaps"));
                            }
                            gaps__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(LogStats {
                    epoch: epoch__.unwrap_or_default(),
                    last_seq: last_seq__.unwrap_or_default(),
                    oldest_seq: oldest_seq__.unwrap_or_default(),
                    watchers: watchers__.unwrap_or_default(),
                    gaps: gaps__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.LogStats", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Now {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let len = 0;
        let struct_ser = serializer.serialize_struct("flowtracker.v1.Now", len)?;
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Now {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                            Err(serde::de::Error::unknown_field(value, FIELDS))
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Now;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.Now")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Now, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                while map_.next_key::<GeneratedField>()?.is_some() {
                    let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                }
                Ok(Now {
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.Now", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Outcomes {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.hit != 0 {
            len += 1;
        }
        if self.miss_created != 0 {
            len += 1;
        }
        if self.miss_full != 0 {
            len += 1;
        }
        if self.miss_denied != 0 {
            len += 1;
        }
        if self.truncated != 0 {
            len += 1;
        }
        if self.not_tracked_ethertype != 0 {
            len += 1;
        }
        if self.malformed != 0 {
            len += 1;
        }
        if self.fragment != 0 {
            len += 1;
        }
        if self.not_tracked_protocol != 0 {
            len += 1;
        }
        if self.detached != 0 {
            len += 1;
        }
        if self.extension_limit != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.Outcomes", len)?;
        if self.hit != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("hit", ToString::to_string(&self.hit).as_str())?;
        }
        if self.miss_created != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("missCreated", ToString::to_string(&self.miss_created).as_str())?;
        }
        if self.miss_full != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("missFull", ToString::to_string(&self.miss_full).as_str())?;
        }
        if self.miss_denied != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("missDenied", ToString::to_string(&self.miss_denied).as_str())?;
        }
        if self.truncated != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("truncated", ToString::to_string(&self.truncated).as_str())?;
        }
        if self.not_tracked_ethertype != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("notTrackedEthertype", ToString::to_string(&self.not_tracked_ethertype).as_str())?;
        }
        if self.malformed != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("malformed", ToString::to_string(&self.malformed).as_str())?;
        }
        if self.fragment != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("fragment", ToString::to_string(&self.fragment).as_str())?;
        }
        if self.not_tracked_protocol != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("notTrackedProtocol", ToString::to_string(&self.not_tracked_protocol).as_str())?;
        }
        if self.detached != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("detached", ToString::to_string(&self.detached).as_str())?;
        }
        if self.extension_limit != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("extensionLimit", ToString::to_string(&self.extension_limit).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Outcomes {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "hit",
            "miss_created",
            "missCreated",
            "miss_full",
            "missFull",
            "miss_denied",
            "missDenied",
            "truncated",
            "not_tracked_ethertype",
            "notTrackedEthertype",
            "malformed",
            "fragment",
            "not_tracked_protocol",
            "notTrackedProtocol",
            "detached",
            "extension_limit",
            "extensionLimit",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Hit,
            MissCreated,
            MissFull,
            MissDenied,
            Truncated,
            NotTrackedEthertype,
            Malformed,
            Fragment,
            NotTrackedProtocol,
            Detached,
            ExtensionLimit,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "hit" => Ok(GeneratedField::Hit),
                            "missCreated" | "miss_created" => Ok(GeneratedField::MissCreated),
                            "missFull" | "miss_full" => Ok(GeneratedField::MissFull),
                            "missDenied" | "miss_denied" => Ok(GeneratedField::MissDenied),
                            "truncated" => Ok(GeneratedField::Truncated),
                            "notTrackedEthertype" | "not_tracked_ethertype" => Ok(GeneratedField::NotTrackedEthertype),
                            "malformed" => Ok(GeneratedField::Malformed),
                            "fragment" => Ok(GeneratedField::Fragment),
                            "notTrackedProtocol" | "not_tracked_protocol" => Ok(GeneratedField::NotTrackedProtocol),
                            "detached" => Ok(GeneratedField::Detached),
                            "extensionLimit" | "extension_limit" => Ok(GeneratedField::ExtensionLimit),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Outcomes;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.Outcomes")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Outcomes, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut hit__ = None;
                let mut miss_created__ = None;
                let mut miss_full__ = None;
                let mut miss_denied__ = None;
                let mut truncated__ = None;
                let mut not_tracked_ethertype__ = None;
                let mut malformed__ = None;
                let mut fragment__ = None;
                let mut not_tracked_protocol__ = None;
                let mut detached__ = None;
                let mut extension_limit__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Hit => {
                            if hit__.is_some() {
                                return Err(serde::de::Error::duplicate_field("hit"));
                            }
                            hit__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::MissCreated => {
                            if miss_created__.is_some() {
                                return Err(serde::de::Error::duplicate_field("missCreated"));
                            }
                            miss_created__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::MissFull => {
                            if miss_full__.is_some() {
                                return Err(serde::de::Error::duplicate_field("missFull"));
                            }
                            miss_full__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::MissDenied => {
                            if miss_denied__.is_some() {
                                return Err(serde::de::Error::duplicate_field("missDenied"));
                            }
                            miss_denied__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Truncated => {
                            if truncated__.is_some() {
                                return Err(serde::de::Error::duplicate_field("truncated"));
                            }
                            truncated__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::NotTrackedEthertype => {
                            if not_tracked_ethertype__.is_some() {
                                return Err(serde::de::Error::duplicate_field("notTrackedEthertype"));
                            }
                            not_tracked_ethertype__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Malformed => {
                            if malformed__.is_some() {
                                return Err(serde::de::Error::duplicate_field("malformed"));
                            }
                            malformed__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Fragment => {
                            if fragment__.is_some() {
                                return Err(serde::de::Error::duplicate_field("fragment"));
                            }
                            fragment__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::NotTrackedProtocol => {
                            if not_tracked_protocol__.is_some() {
                                return Err(serde::de::Error::duplicate_field("notTrackedProtocol"));
                            }
                            not_tracked_protocol__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Detached => {
                            if detached__.is_some() {
                                return Err(serde::de::Error::duplicate_field("detached"));
                            }
                            detached__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::ExtensionLimit => {
                            if extension_limit__.is_some() {
                                return Err(serde::de::Error::duplicate_field("extensionLimit"));
                            }
                            extension_limit__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(Outcomes {
                    hit: hit__.unwrap_or_default(),
                    miss_created: miss_created__.unwrap_or_default(),
                    miss_full: miss_full__.unwrap_or_default(),
                    miss_denied: miss_denied__.unwrap_or_default(),
                    truncated: truncated__.unwrap_or_default(),
                    not_tracked_ethertype: not_tracked_ethertype__.unwrap_or_default(),
                    malformed: malformed__.unwrap_or_default(),
                    fragment: fragment__.unwrap_or_default(),
                    not_tracked_protocol: not_tracked_protocol__.unwrap_or_default(),
                    detached: detached__.unwrap_or_default(),
                    extension_limit: extension_limit__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.Outcomes", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for PortStats {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.port.is_empty() {
            len += 1;
        }
        if !self.device.is_empty() {
            len += 1;
        }
        if self.rx_packets != 0 {
            len += 1;
        }
        if self.tx_packets != 0 {
            len += 1;
        }
        if self.rx_bytes != 0 {
            len += 1;
        }
        if self.tx_bytes != 0 {
            len += 1;
        }
        if self.rx_missed != 0 {
            len += 1;
        }
        if self.rx_errors != 0 {
            len += 1;
        }
        if self.rx_nombuf != 0 {
            len += 1;
        }
        if self.tx_errors != 0 {
            len += 1;
        }
        if self.link_up {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.PortStats", len)?;
        if !self.port.is_empty() {
            struct_ser.serialize_field("port", &self.port)?;
        }
        if !self.device.is_empty() {
            struct_ser.serialize_field("device", &self.device)?;
        }
        if self.rx_packets != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("rxPackets", ToString::to_string(&self.rx_packets).as_str())?;
        }
        if self.tx_packets != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("txPackets", ToString::to_string(&self.tx_packets).as_str())?;
        }
        if self.rx_bytes != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("rxBytes", ToString::to_string(&self.rx_bytes).as_str())?;
        }
        if self.tx_bytes != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("txBytes", ToString::to_string(&self.tx_bytes).as_str())?;
        }
        if self.rx_missed != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("rxMissed", ToString::to_string(&self.rx_missed).as_str())?;
        }
        if self.rx_errors != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("rxErrors", ToString::to_string(&self.rx_errors).as_str())?;
        }
        if self.rx_nombuf != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("rxNombuf", ToString::to_string(&self.rx_nombuf).as_str())?;
        }
        if self.tx_errors != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("txErrors", ToString::to_string(&self.tx_errors).as_str())?;
        }
        if self.link_up {
            struct_ser.serialize_field("linkUp", &self.link_up)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for PortStats {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "port",
            "device",
            "rx_packets",
            "rxPackets",
            "tx_packets",
            "txPackets",
            "rx_bytes",
            "rxBytes",
            "tx_bytes",
            "txBytes",
            "rx_missed",
            "rxMissed",
            "rx_errors",
            "rxErrors",
            "rx_nombuf",
            "rxNombuf",
            "tx_errors",
            "txErrors",
            "link_up",
            "linkUp",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Port,
            Device,
            RxPackets,
            TxPackets,
            RxBytes,
            TxBytes,
            RxMissed,
            RxErrors,
            RxNombuf,
            TxErrors,
            LinkUp,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "port" => Ok(GeneratedField::Port),
                            "device" => Ok(GeneratedField::Device),
                            "rxPackets" | "rx_packets" => Ok(GeneratedField::RxPackets),
                            "txPackets" | "tx_packets" => Ok(GeneratedField::TxPackets),
                            "rxBytes" | "rx_bytes" => Ok(GeneratedField::RxBytes),
                            "txBytes" | "tx_bytes" => Ok(GeneratedField::TxBytes),
                            "rxMissed" | "rx_missed" => Ok(GeneratedField::RxMissed),
                            "rxErrors" | "rx_errors" => Ok(GeneratedField::RxErrors),
                            "rxNombuf" | "rx_nombuf" => Ok(GeneratedField::RxNombuf),
                            "txErrors" | "tx_errors" => Ok(GeneratedField::TxErrors),
                            "linkUp" | "link_up" => Ok(GeneratedField::LinkUp),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = PortStats;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.PortStats")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<PortStats, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut port__ = None;
                let mut device__ = None;
                let mut rx_packets__ = None;
                let mut tx_packets__ = None;
                let mut rx_bytes__ = None;
                let mut tx_bytes__ = None;
                let mut rx_missed__ = None;
                let mut rx_errors__ = None;
                let mut rx_nombuf__ = None;
                let mut tx_errors__ = None;
                let mut link_up__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Port => {
                            if port__.is_some() {
                                return Err(serde::de::Error::duplicate_field("port"));
                            }
                            port__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Device => {
                            if device__.is_some() {
                                return Err(serde::de::Error::duplicate_field("device"));
                            }
                            device__ = Some(map_.next_value()?);
                        }
                        GeneratedField::RxPackets => {
                            if rx_packets__.is_some() {
                                return Err(serde::de::Error::duplicate_field("rxPackets"));
                            }
                            rx_packets__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::TxPackets => {
                            if tx_packets__.is_some() {
                                return Err(serde::de::Error::duplicate_field("txPackets"));
                            }
                            tx_packets__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::RxBytes => {
                            if rx_bytes__.is_some() {
                                return Err(serde::de::Error::duplicate_field("rxBytes"));
                            }
                            rx_bytes__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::TxBytes => {
                            if tx_bytes__.is_some() {
                                return Err(serde::de::Error::duplicate_field("txBytes"));
                            }
                            tx_bytes__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::RxMissed => {
                            if rx_missed__.is_some() {
                                return Err(serde::de::Error::duplicate_field("rxMissed"));
                            }
                            rx_missed__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::RxErrors => {
                            if rx_errors__.is_some() {
                                return Err(serde::de::Error::duplicate_field("rxErrors"));
                            }
                            rx_errors__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::RxNombuf => {
                            if rx_nombuf__.is_some() {
                                return Err(serde::de::Error::duplicate_field("rxNombuf"));
                            }
                            rx_nombuf__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::TxErrors => {
                            if tx_errors__.is_some() {
                                return Err(serde::de::Error::duplicate_field("txErrors"));
                            }
                            tx_errors__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::LinkUp => {
                            if link_up__.is_some() {
                                return Err(serde::de::Error::duplicate_field("linkUp"));
                            }
                            link_up__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(PortStats {
                    port: port__.unwrap_or_default(),
                    device: device__.unwrap_or_default(),
                    rx_packets: rx_packets__.unwrap_or_default(),
                    tx_packets: tx_packets__.unwrap_or_default(),
                    rx_bytes: rx_bytes__.unwrap_or_default(),
                    tx_bytes: tx_bytes__.unwrap_or_default(),
                    rx_missed: rx_missed__.unwrap_or_default(),
                    rx_errors: rx_errors__.unwrap_or_default(),
                    rx_nombuf: rx_nombuf__.unwrap_or_default(),
                    tx_errors: tx_errors__.unwrap_or_default(),
                    link_up: link_up__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.PortStats", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for PurgeCommand {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.pipeline.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.PurgeCommand", len)?;
        if !self.pipeline.is_empty() {
            struct_ser.serialize_field("pipeline", &self.pipeline)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for PurgeCommand {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "pipeline",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Pipeline,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "pipeline" => Ok(GeneratedField::Pipeline),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = PurgeCommand;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.PurgeCommand")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<PurgeCommand, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut pipeline__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Pipeline => {
                            if pipeline__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pipeline"));
                            }
                            pipeline__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(PurgeCommand {
                    pipeline: pipeline__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.PurgeCommand", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for PurgeRequest {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.dataplane.is_empty() {
            len += 1;
        }
        if !self.pipeline.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.PurgeRequest", len)?;
        if !self.dataplane.is_empty() {
            struct_ser.serialize_field("dataplane", &self.dataplane)?;
        }
        if !self.pipeline.is_empty() {
            struct_ser.serialize_field("pipeline", &self.pipeline)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for PurgeRequest {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "dataplane",
            "pipeline",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Dataplane,
            Pipeline,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "dataplane" => Ok(GeneratedField::Dataplane),
                            "pipeline" => Ok(GeneratedField::Pipeline),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = PurgeRequest;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.PurgeRequest")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<PurgeRequest, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut dataplane__ = None;
                let mut pipeline__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Dataplane => {
                            if dataplane__.is_some() {
                                return Err(serde::de::Error::duplicate_field("dataplane"));
                            }
                            dataplane__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Pipeline => {
                            if pipeline__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pipeline"));
                            }
                            pipeline__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(PurgeRequest {
                    dataplane: dataplane__.unwrap_or_default(),
                    pipeline: pipeline__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.PurgeRequest", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for PurgeResponse {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.removed != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.PurgeResponse", len)?;
        if self.removed != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("removed", ToString::to_string(&self.removed).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for PurgeResponse {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "removed",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Removed,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "removed" => Ok(GeneratedField::Removed),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = PurgeResponse;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.PurgeResponse")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<PurgeResponse, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut removed__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Removed => {
                            if removed__.is_some() {
                                return Err(serde::de::Error::duplicate_field("removed"));
                            }
                            removed__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(PurgeResponse {
                    removed: removed__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.PurgeResponse", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for RecordKind {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::Unspecified => "RECORD_KIND_UNSPECIFIED",
            Self::Created => "RECORD_KIND_CREATED",
            Self::Updated => "RECORD_KIND_UPDATED",
            Self::Deleted => "RECORD_KIND_DELETED",
            Self::ResyncBegin => "RECORD_KIND_RESYNC_BEGIN",
            Self::Present => "RECORD_KIND_PRESENT",
            Self::ResyncEnd => "RECORD_KIND_RESYNC_END",
            Self::Flushed => "RECORD_KIND_FLUSHED",
            Self::Purged => "RECORD_KIND_PURGED",
            Self::Loaded => "RECORD_KIND_LOADED",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for RecordKind {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "RECORD_KIND_UNSPECIFIED",
            "RECORD_KIND_CREATED",
            "RECORD_KIND_UPDATED",
            "RECORD_KIND_DELETED",
            "RECORD_KIND_RESYNC_BEGIN",
            "RECORD_KIND_PRESENT",
            "RECORD_KIND_RESYNC_END",
            "RECORD_KIND_FLUSHED",
            "RECORD_KIND_PURGED",
            "RECORD_KIND_LOADED",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = RecordKind;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "RECORD_KIND_UNSPECIFIED" => Ok(RecordKind::Unspecified),
                    "RECORD_KIND_CREATED" => Ok(RecordKind::Created),
                    "RECORD_KIND_UPDATED" => Ok(RecordKind::Updated),
                    "RECORD_KIND_DELETED" => Ok(RecordKind::Deleted),
                    "RECORD_KIND_RESYNC_BEGIN" => Ok(RecordKind::ResyncBegin),
                    "RECORD_KIND_PRESENT" => Ok(RecordKind::Present),
                    "RECORD_KIND_RESYNC_END" => Ok(RecordKind::ResyncEnd),
                    "RECORD_KIND_FLUSHED" => Ok(RecordKind::Flushed),
                    "RECORD_KIND_PURGED" => Ok(RecordKind::Purged),
                    "RECORD_KIND_LOADED" => Ok(RecordKind::Loaded),
                    _ => Err(serde::de::Error::unknown_variant(value, FIELDS)),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for Reply {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.id != 0 {
            len += 1;
        }
        if self.status != 0 {
            len += 1;
        }
        if !self.message.is_empty() {
            len += 1;
        }
        if self.stats.is_some() {
            len += 1;
        }
        if !self.field.is_empty() {
            len += 1;
        }
        if !self.reason.is_empty() {
            len += 1;
        }
        if self.deleted != 0 {
            len += 1;
        }
        if self.failed != 0 {
            len += 1;
        }
        if self.table.is_some() {
            len += 1;
        }
        if !self.metadata.is_empty() {
            len += 1;
        }
        if !self.records.is_empty() {
            len += 1;
        }
        if !self.faults.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.Reply", len)?;
        if self.id != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("id", ToString::to_string(&self.id).as_str())?;
        }
        if self.status != 0 {
            let v = ReplyStatus::try_from(self.status)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.status)))?;
            struct_ser.serialize_field("status", &v)?;
        }
        if !self.message.is_empty() {
            struct_ser.serialize_field("message", &self.message)?;
        }
        if let Some(v) = self.stats.as_ref() {
            struct_ser.serialize_field("stats", v)?;
        }
        if !self.field.is_empty() {
            struct_ser.serialize_field("field", &self.field)?;
        }
        if !self.reason.is_empty() {
            struct_ser.serialize_field("reason", &self.reason)?;
        }
        if self.deleted != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("deleted", ToString::to_string(&self.deleted).as_str())?;
        }
        if self.failed != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("failed", ToString::to_string(&self.failed).as_str())?;
        }
        if let Some(v) = self.table.as_ref() {
            struct_ser.serialize_field("table", v)?;
        }
        if !self.metadata.is_empty() {
            struct_ser.serialize_field("metadata", &self.metadata)?;
        }
        if !self.records.is_empty() {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("records", pbjson::private::base64::encode(&self.records).as_str())?;
        }
        if !self.faults.is_empty() {
            struct_ser.serialize_field("faults", &self.faults)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Reply {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "id",
            "status",
            "message",
            "stats",
            "field",
            "reason",
            "deleted",
            "failed",
            "table",
            "metadata",
            "records",
            "faults",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Id,
            Status,
            Message,
            Stats,
            Field,
            Reason,
            Deleted,
            Failed,
            Table,
            Metadata,
            Records,
            Faults,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "id" => Ok(GeneratedField::Id),
                            "status" => Ok(GeneratedField::Status),
                            "message" => Ok(GeneratedField::Message),
                            "stats" => Ok(GeneratedField::Stats),
                            "field" => Ok(GeneratedField::Field),
                            "reason" => Ok(GeneratedField::Reason),
                            "deleted" => Ok(GeneratedField::Deleted),
                            "failed" => Ok(GeneratedField::Failed),
                            "table" => Ok(GeneratedField::Table),
                            "metadata" => Ok(GeneratedField::Metadata),
                            "records" => Ok(GeneratedField::Records),
                            "faults" => Ok(GeneratedField::Faults),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Reply;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.Reply")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Reply, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut id__ = None;
                let mut status__ = None;
                let mut message__ = None;
                let mut stats__ = None;
                let mut field__ = None;
                let mut reason__ = None;
                let mut deleted__ = None;
                let mut failed__ = None;
                let mut table__ = None;
                let mut metadata__ = None;
                let mut records__ = None;
                let mut faults__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Id => {
                            if id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("id"));
                            }
                            id__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Status => {
                            if status__.is_some() {
                                return Err(serde::de::Error::duplicate_field("status"));
                            }
                            status__ = Some(map_.next_value::<ReplyStatus>()? as i32);
                        }
                        GeneratedField::Message => {
                            if message__.is_some() {
                                return Err(serde::de::Error::duplicate_field("message"));
                            }
                            message__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Stats => {
                            if stats__.is_some() {
                                return Err(serde::de::Error::duplicate_field("stats"));
                            }
                            stats__ = map_.next_value()?;
                        }
                        GeneratedField::Field => {
                            if field__.is_some() {
                                return Err(serde::de::Error::duplicate_field("field"));
                            }
                            field__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Reason => {
                            if reason__.is_some() {
                                return Err(serde::de::Error::duplicate_field("reason"));
                            }
                            reason__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Deleted => {
                            if deleted__.is_some() {
                                return Err(serde::de::Error::duplicate_field("deleted"));
                            }
                            deleted__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Failed => {
                            if failed__.is_some() {
                                return Err(serde::de::Error::duplicate_field("failed"));
                            }
                            failed__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Table => {
                            if table__.is_some() {
                                return Err(serde::de::Error::duplicate_field("table"));
                            }
                            table__ = map_.next_value()?;
                        }
                        GeneratedField::Metadata => {
                            if metadata__.is_some() {
                                return Err(serde::de::Error::duplicate_field("metadata"));
                            }
                            metadata__ = Some(
                                map_.next_value::<std::collections::HashMap<_, _>>()?
                            );
                        }
                        GeneratedField::Records => {
                            if records__.is_some() {
                                return Err(serde::de::Error::duplicate_field("records"));
                            }
                            records__ = 
                                Some(map_.next_value::<::pbjson::private::BytesDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Faults => {
                            if faults__.is_some() {
                                return Err(serde::de::Error::duplicate_field("faults"));
                            }
                            faults__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(Reply {
                    id: id__.unwrap_or_default(),
                    status: status__.unwrap_or_default(),
                    message: message__.unwrap_or_default(),
                    stats: stats__,
                    field: field__.unwrap_or_default(),
                    reason: reason__.unwrap_or_default(),
                    deleted: deleted__.unwrap_or_default(),
                    failed: failed__.unwrap_or_default(),
                    table: table__,
                    metadata: metadata__.unwrap_or_default(),
                    records: records__.unwrap_or_default(),
                    faults: faults__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.Reply", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ReplyStatus {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::Unspecified => "REPLY_STATUS_UNSPECIFIED",
            Self::Ok => "REPLY_STATUS_OK",
            Self::NotFound => "REPLY_STATUS_NOT_FOUND",
            Self::AlreadyExists => "REPLY_STATUS_ALREADY_EXISTS",
            Self::PermissionDenied => "REPLY_STATUS_PERMISSION_DENIED",
            Self::ResourceExhausted => "REPLY_STATUS_RESOURCE_EXHAUSTED",
            Self::InvalidArgument => "REPLY_STATUS_INVALID_ARGUMENT",
            Self::FailedPrecondition => "REPLY_STATUS_FAILED_PRECONDITION",
            Self::Unavailable => "REPLY_STATUS_UNAVAILABLE",
            Self::DeadlineExceeded => "REPLY_STATUS_DEADLINE_EXCEEDED",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for ReplyStatus {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "REPLY_STATUS_UNSPECIFIED",
            "REPLY_STATUS_OK",
            "REPLY_STATUS_NOT_FOUND",
            "REPLY_STATUS_ALREADY_EXISTS",
            "REPLY_STATUS_PERMISSION_DENIED",
            "REPLY_STATUS_RESOURCE_EXHAUSTED",
            "REPLY_STATUS_INVALID_ARGUMENT",
            "REPLY_STATUS_FAILED_PRECONDITION",
            "REPLY_STATUS_UNAVAILABLE",
            "REPLY_STATUS_DEADLINE_EXCEEDED",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = ReplyStatus;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "REPLY_STATUS_UNSPECIFIED" => Ok(ReplyStatus::Unspecified),
                    "REPLY_STATUS_OK" => Ok(ReplyStatus::Ok),
                    "REPLY_STATUS_NOT_FOUND" => Ok(ReplyStatus::NotFound),
                    "REPLY_STATUS_ALREADY_EXISTS" => Ok(ReplyStatus::AlreadyExists),
                    "REPLY_STATUS_PERMISSION_DENIED" => Ok(ReplyStatus::PermissionDenied),
                    "REPLY_STATUS_RESOURCE_EXHAUSTED" => Ok(ReplyStatus::ResourceExhausted),
                    "REPLY_STATUS_INVALID_ARGUMENT" => Ok(ReplyStatus::InvalidArgument),
                    "REPLY_STATUS_FAILED_PRECONDITION" => Ok(ReplyStatus::FailedPrecondition),
                    "REPLY_STATUS_UNAVAILABLE" => Ok(ReplyStatus::Unavailable),
                    "REPLY_STATUS_DEADLINE_EXCEEDED" => Ok(ReplyStatus::DeadlineExceeded),
                    _ => Err(serde::de::Error::unknown_variant(value, FIELDS)),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for Shard {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.lcore != 0 {
            len += 1;
        }
        if self.capacity != 0 {
            len += 1;
        }
        if self.entries != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.Shard", len)?;
        if self.lcore != 0 {
            struct_ser.serialize_field("lcore", &self.lcore)?;
        }
        if self.capacity != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("capacity", ToString::to_string(&self.capacity).as_str())?;
        }
        if self.entries != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("entries", ToString::to_string(&self.entries).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Shard {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "lcore",
            "capacity",
            "entries",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Lcore,
            Capacity,
            Entries,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "lcore" => Ok(GeneratedField::Lcore),
                            "capacity" => Ok(GeneratedField::Capacity),
                            "entries" => Ok(GeneratedField::Entries),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Shard;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.Shard")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Shard, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut lcore__ = None;
                let mut capacity__ = None;
                let mut entries__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Lcore => {
                            if lcore__.is_some() {
                                return Err(serde::de::Error::duplicate_field("lcore"));
                            }
                            lcore__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Capacity => {
                            if capacity__.is_some() {
                                return Err(serde::de::Error::duplicate_field("capacity"));
                            }
                            capacity__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Entries => {
                            if entries__.is_some() {
                                return Err(serde::de::Error::duplicate_field("entries"));
                            }
                            entries__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(Shard {
                    lcore: lcore__.unwrap_or_default(),
                    capacity: capacity__.unwrap_or_default(),
                    entries: entries__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.Shard", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Snapshot {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let len = 0;
        let struct_ser = serializer.serialize_struct("flowtracker.v1.Snapshot", len)?;
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Snapshot {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                            Err(serde::de::Error::unknown_field(value, FIELDS))
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Snapshot;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.Snapshot")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Snapshot, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                while map_.next_key::<GeneratedField>()?.is_some() {
                    let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                }
                Ok(Snapshot {
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.Snapshot", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Start {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.at.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.Start", len)?;
        if let Some(v) = self.at.as_ref() {
            match v {
                start::At::Now(v) => {
                    struct_ser.serialize_field("now", v)?;
                }
                start::At::Snapshot(v) => {
                    struct_ser.serialize_field("snapshot", v)?;
                }
                start::At::After(v) => {
                    struct_ser.serialize_field("after", v)?;
                }
            }
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Start {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "now",
            "snapshot",
            "after",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Now,
            Snapshot,
            After,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "now" => Ok(GeneratedField::Now),
                            "snapshot" => Ok(GeneratedField::Snapshot),
                            "after" => Ok(GeneratedField::After),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Start;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.Start")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Start, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut at__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Now => {
                            if at__.is_some() {
                                return Err(serde::de::Error::duplicate_field("now"));
                            }
                            at__ = map_.next_value::<::std::option::Option<_>>()?.map(start::At::Now)
;
                        }
                        GeneratedField::Snapshot => {
                            if at__.is_some() {
                                return Err(serde::de::Error::duplicate_field("snapshot"));
                            }
                            at__ = map_.next_value::<::std::option::Option<_>>()?.map(start::At::Snapshot)
;
                        }
                        GeneratedField::After => {
                            if at__.is_some() {
                                return Err(serde::de::Error::duplicate_field("after"));
                            }
                            at__ = map_.next_value::<::std::option::Option<_>>()?.map(start::At::After)
;
                        }
                    }
                }
                Ok(Start {
                    at: at__,
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.Start", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for StatsCommand {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let len = 0;
        let struct_ser = serializer.serialize_struct("flowtracker.v1.StatsCommand", len)?;
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for StatsCommand {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                            Err(serde::de::Error::unknown_field(value, FIELDS))
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = StatsCommand;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.StatsCommand")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<StatsCommand, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                while map_.next_key::<GeneratedField>()?.is_some() {
                    let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                }
                Ok(StatsCommand {
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.StatsCommand", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Table {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.dataplane.is_empty() {
            len += 1;
        }
        if !self.name.is_empty() {
            len += 1;
        }
        if self.key_bits != 0 {
            len += 1;
        }
        if self.max_entries != 0 {
            len += 1;
        }
        if self.entries != 0 {
            len += 1;
        }
        if self.permissions != 0 {
            len += 1;
        }
        if !self.permissions_text.is_empty() {
            len += 1;
        }
        if !self.profiles.is_empty() {
            len += 1;
        }
        if self.learn_profile_id != 0 {
            len += 1;
        }
        if !self.shards.is_empty() {
            len += 1;
        }
        if self.detached {
            len += 1;
        }
        if !self.pipeline.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.Table", len)?;
        if !self.dataplane.is_empty() {
            struct_ser.serialize_field("dataplane", &self.dataplane)?;
        }
        if !self.name.is_empty() {
            struct_ser.serialize_field("name", &self.name)?;
        }
        if self.key_bits != 0 {
            struct_ser.serialize_field("keyBits", &self.key_bits)?;
        }
        if self.max_entries != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("maxEntries", ToString::to_string(&self.max_entries).as_str())?;
        }
        if self.entries != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("entries", ToString::to_string(&self.entries).as_str())?;
        }
        if self.permissions != 0 {
            struct_ser.serialize_field("permissions", &self.permissions)?;
        }
        if !self.permissions_text.is_empty() {
            struct_ser.serialize_field("permissionsText", &self.permissions_text)?;
        }
        if !self.profiles.is_empty() {
            struct_ser.serialize_field("profiles", &self.profiles)?;
        }
        if self.learn_profile_id != 0 {
            struct_ser.serialize_field("learnProfileId", &self.learn_profile_id)?;
        }
        if !self.shards.is_empty() {
            struct_ser.serialize_field("shards", &self.shards)?;
        }
        if self.detached {
            struct_ser.serialize_field("detached", &self.detached)?;
        }
        if !self.pipeline.is_empty() {
            struct_ser.serialize_field("pipeline", &self.pipeline)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Table {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "dataplane",
            "name",
            "key_bits",
            "keyBits",
            "max_entries",
            "maxEntries",
            "entries",
            "permissions",
            "permissions_text",
            "permissionsText",
            "profiles",
            "learn_profile_id",
            "learnProfileId",
            "shards",
            "detached",
            "pipeline",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Dataplane,
            Name,
            KeyBits,
            MaxEntries,
            Entries,
            Permissions,
            PermissionsText,
            Profiles,
            LearnProfileId,
            Shards,
            Detached,
            Pipeline,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "dataplane" => Ok(GeneratedField::Dataplane),
                            "name" => Ok(GeneratedField::Name),
                            "keyBits" | "key_bits" => Ok(GeneratedField::KeyBits),
                            "maxEntries" | "max_entries" => Ok(GeneratedField::MaxEntries),
                            "entries" => Ok(GeneratedField::Entries),
                            "permissions" => Ok(GeneratedField::Permissions),
                            "permissionsText" | "permissions_text" => Ok(GeneratedField::PermissionsText),
                            "profiles" => Ok(GeneratedField::Profiles),
                            "learnProfileId" | "learn_profile_id" => Ok(GeneratedField::LearnProfileId),
                            "shards" => Ok(GeneratedField::Shards),
                            "detached" => Ok(GeneratedField::Detached),
                            "pipeline" => Ok(GeneratedField::Pipeline),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Table;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.Table")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Table, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut dataplane__ = None;
                let mut name__ = None;
                let mut key_bits__ = None;
                let mut max_entries__ = None;
                let mut entries__ = None;
                let mut permissions__ = None;
                let mut permissions_text__ = None;
                let mut profiles__ = None;
                let mut learn_profile_id__ = None;
                let mut shards__ = None;
                let mut detached__ = None;
                let mut pipeline__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Dataplane => {
                            if dataplane__.is_some() {
                                return Err(serde::de::Error::duplicate_field("dataplane"));
                            }
                            dataplane__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Name => {
                            if name__.is_some() {
                                return Err(serde::de::Error::duplicate_field("name"));
                            }
                            name__ = Some(map_.next_value()?);
                        }
                        GeneratedField::KeyBits => {
                            if key_bits__.is_some() {
                                return Err(serde::de::Error::duplicate_field("keyBits"));
                            }
                            key_bits__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::MaxEntries => {
                            if max_entries__.is_some() {
                                return Err(serde::de::Error::duplicate_field("maxEntries"));
                            }
                            max_entries__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Entries => {
                            if entries__.is_some() {
                                return Err(serde::de::Error::duplicate_field("entries"));
                            }
                            entries__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Permissions => {
                            if permissions__.is_some() {
                                return Err(serde::de::Error::duplicate_field("permissions"));
                            }
                            permissions__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::PermissionsText => {
                            if permissions_text__.is_some() {
                                return Err(serde::de::Error::duplicate_field("permissionsText"));
                            }
                            permissions_text__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Profiles => {
                            if profiles__.is_some() {
                                return Err(serde::de::Error::duplicate_field("profiles"));
                            }
                            profiles__ = Some(map_.next_value()?);
                        }
                        GeneratedField::LearnProfileId => {
                            if learn_profile_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("learnProfileId"));
                            }
                            learn_profile_id__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Shards => {
                            if shards__.is_some() {
                                return Err(serde::de::Error::duplicate_field("shards"));
                            }
                            shards__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Detached => {
                            if detached__.is_some() {
                                return Err(serde::de::Error::duplicate_field("detached"));
                            }
                            detached__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Pipeline => {
                            if pipeline__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pipeline"));
                            }
                            pipeline__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(Table {
                    dataplane: dataplane__.unwrap_or_default(),
                    name: name__.unwrap_or_default(),
                    key_bits: key_bits__.unwrap_or_default(),
                    max_entries: max_entries__.unwrap_or_default(),
                    entries: entries__.unwrap_or_default(),
                    permissions: permissions__.unwrap_or_default(),
                    permissions_text: permissions_text__.unwrap_or_default(),
                    profiles: profiles__.unwrap_or_default(),
                    learn_profile_id: learn_profile_id__.unwrap_or_default(),
                    shards: shards__.unwrap_or_default(),
                    detached: detached__.unwrap_or_default(),
                    pipeline: pipeline__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.Table", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for TableCapacity {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.pipeline.is_empty() {
            len += 1;
        }
        if self.entries != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.TableCapacity", len)?;
        if !self.pipeline.is_empty() {
            struct_ser.serialize_field("pipeline", &self.pipeline)?;
        }
        if self.entries != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("entries", ToString::to_string(&self.entries).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for TableCapacity {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "pipeline",
            "entries",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Pipeline,
            Entries,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "pipeline" => Ok(GeneratedField::Pipeline),
                            "entries" => Ok(GeneratedField::Entries),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = TableCapacity;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.TableCapacity")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<TableCapacity, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut pipeline__ = None;
                let mut entries__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Pipeline => {
                            if pipeline__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pipeline"));
                            }
                            pipeline__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Entries => {
                            if entries__.is_some() {
                                return Err(serde::de::Error::duplicate_field("entries"));
                            }
                            entries__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(TableCapacity {
                    pipeline: pipeline__.unwrap_or_default(),
                    entries: entries__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.TableCapacity", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for TableCommand {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.pipeline.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.TableCommand", len)?;
        if !self.pipeline.is_empty() {
            struct_ser.serialize_field("pipeline", &self.pipeline)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for TableCommand {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "pipeline",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Pipeline,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "pipeline" => Ok(GeneratedField::Pipeline),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = TableCommand;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.TableCommand")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<TableCommand, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut pipeline__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Pipeline => {
                            if pipeline__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pipeline"));
                            }
                            pipeline__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(TableCommand {
                    pipeline: pipeline__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.TableCommand", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for TableStats {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.pipeline.is_empty() {
            len += 1;
        }
        if self.hit != 0 {
            len += 1;
        }
        if self.miss_created != 0 {
            len += 1;
        }
        if self.miss_full != 0 {
            len += 1;
        }
        if self.miss_denied != 0 {
            len += 1;
        }
        if self.entries != 0 {
            len += 1;
        }
        if self.capacity != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.TableStats", len)?;
        if !self.pipeline.is_empty() {
            struct_ser.serialize_field("pipeline", &self.pipeline)?;
        }
        if self.hit != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("hit", ToString::to_string(&self.hit).as_str())?;
        }
        if self.miss_created != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("missCreated", ToString::to_string(&self.miss_created).as_str())?;
        }
        if self.miss_full != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("missFull", ToString::to_string(&self.miss_full).as_str())?;
        }
        if self.miss_denied != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("missDenied", ToString::to_string(&self.miss_denied).as_str())?;
        }
        if self.entries != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("entries", ToString::to_string(&self.entries).as_str())?;
        }
        if self.capacity != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("capacity", ToString::to_string(&self.capacity).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for TableStats {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "pipeline",
            "hit",
            "miss_created",
            "missCreated",
            "miss_full",
            "missFull",
            "miss_denied",
            "missDenied",
            "entries",
            "capacity",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Pipeline,
            Hit,
            MissCreated,
            MissFull,
            MissDenied,
            Entries,
            Capacity,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "pipeline" => Ok(GeneratedField::Pipeline),
                            "hit" => Ok(GeneratedField::Hit),
                            "missCreated" | "miss_created" => Ok(GeneratedField::MissCreated),
                            "missFull" | "miss_full" => Ok(GeneratedField::MissFull),
                            "missDenied" | "miss_denied" => Ok(GeneratedField::MissDenied),
                            "entries" => Ok(GeneratedField::Entries),
                            "capacity" => Ok(GeneratedField::Capacity),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = TableStats;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.TableStats")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<TableStats, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut pipeline__ = None;
                let mut hit__ = None;
                let mut miss_created__ = None;
                let mut miss_full__ = None;
                let mut miss_denied__ = None;
                let mut entries__ = None;
                let mut capacity__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Pipeline => {
                            if pipeline__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pipeline"));
                            }
                            pipeline__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Hit => {
                            if hit__.is_some() {
                                return Err(serde::de::Error::duplicate_field("hit"));
                            }
                            hit__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::MissCreated => {
                            if miss_created__.is_some() {
                                return Err(serde::de::Error::duplicate_field("missCreated"));
                            }
                            miss_created__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::MissFull => {
                            if miss_full__.is_some() {
                                return Err(serde::de::Error::duplicate_field("missFull"));
                            }
                            miss_full__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::MissDenied => {
                            if miss_denied__.is_some() {
                                return Err(serde::de::Error::duplicate_field("missDenied"));
                            }
                            miss_denied__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Entries => {
                            if entries__.is_some() {
                                return Err(serde::de::Error::duplicate_field("entries"));
                            }
                            entries__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Capacity => {
                            if capacity__.is_some() {
                                return Err(serde::de::Error::duplicate_field("capacity"));
                            }
                            capacity__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(TableStats {
                    pipeline: pipeline__.unwrap_or_default(),
                    hit: hit__.unwrap_or_default(),
                    miss_created: miss_created__.unwrap_or_default(),
                    miss_full: miss_full__.unwrap_or_default(),
                    miss_denied: miss_denied__.unwrap_or_default(),
                    entries: entries__.unwrap_or_default(),
                    capacity: capacity__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.TableStats", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for TimerProfile {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.profile_id != 0 {
            len += 1;
        }
        if self.aging_ms != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.TimerProfile", len)?;
        if self.profile_id != 0 {
            struct_ser.serialize_field("profileId", &self.profile_id)?;
        }
        if self.aging_ms != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("agingMs", ToString::to_string(&self.aging_ms).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for TimerProfile {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "profile_id",
            "profileId",
            "aging_ms",
            "agingMs",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            ProfileId,
            AgingMs,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "profileId" | "profile_id" => Ok(GeneratedField::ProfileId),
                            "agingMs" | "aging_ms" => Ok(GeneratedField::AgingMs),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = TimerProfile;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.TimerProfile")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<TimerProfile, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut profile_id__ = None;
                let mut aging_ms__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::ProfileId => {
                            if profile_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("profileId"));
                            }
                            profile_id__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::AgingMs => {
                            if aging_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("agingMs"));
                            }
                            aging_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(TimerProfile {
                    profile_id: profile_id__.unwrap_or_default(),
                    aging_ms: aging_ms__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.TimerProfile", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for UpdateCommand {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.key.is_empty() {
            len += 1;
        }
        if self.attributes.is_some() {
            len += 1;
        }
        if self.actor.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.UpdateCommand", len)?;
        if !self.key.is_empty() {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("key", pbjson::private::base64::encode(&self.key).as_str())?;
        }
        if let Some(v) = self.attributes.as_ref() {
            struct_ser.serialize_field("attributes", v)?;
        }
        if let Some(v) = self.actor.as_ref() {
            struct_ser.serialize_field("actor", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for UpdateCommand {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "key",
            "attributes",
            "actor",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Key,
            Attributes,
            Actor,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "key" => Ok(GeneratedField::Key),
                            "attributes" => Ok(GeneratedField::Attributes),
                            "actor" => Ok(GeneratedField::Actor),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = UpdateCommand;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.UpdateCommand")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<UpdateCommand, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut key__ = None;
                let mut attributes__ = None;
                let mut actor__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Key => {
                            if key__.is_some() {
                                return Err(serde::de::Error::duplicate_field("key"));
                            }
                            key__ = 
                                Some(map_.next_value::<::pbjson::private::BytesDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Attributes => {
                            if attributes__.is_some() {
                                return Err(serde::de::Error::duplicate_field("attributes"));
                            }
                            attributes__ = map_.next_value()?;
                        }
                        GeneratedField::Actor => {
                            if actor__.is_some() {
                                return Err(serde::de::Error::duplicate_field("actor"));
                            }
                            actor__ = map_.next_value()?;
                        }
                    }
                }
                Ok(UpdateCommand {
                    key: key__.unwrap_or_default(),
                    attributes: attributes__,
                    actor: actor__,
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.UpdateCommand", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for UpdateEntryRequest {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.key.is_some() {
            len += 1;
        }
        if self.dynamic.is_some() {
            len += 1;
        }
        if self.profile_id.is_some() {
            len += 1;
        }
        if self.aging_ms.is_some() {
            len += 1;
        }
        if self.permissions.is_some() {
            len += 1;
        }
        if !self.dataplane.is_empty() {
            len += 1;
        }
        if !self.pipeline.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.UpdateEntryRequest", len)?;
        if let Some(v) = self.key.as_ref() {
            struct_ser.serialize_field("key", v)?;
        }
        if let Some(v) = self.dynamic.as_ref() {
            struct_ser.serialize_field("dynamic", v)?;
        }
        if let Some(v) = self.profile_id.as_ref() {
            struct_ser.serialize_field("profileId", v)?;
        }
        if let Some(v) = self.aging_ms.as_ref() {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("agingMs", ToString::to_string(&v).as_str())?;
        }
        if let Some(v) = self.permissions.as_ref() {
            struct_ser.serialize_field("permissions", v)?;
        }
        if !self.dataplane.is_empty() {
            struct_ser.serialize_field("dataplane", &self.dataplane)?;
        }
        if !self.pipeline.is_empty() {
            struct_ser.serialize_field("pipeline", &self.pipeline)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for UpdateEntryRequest {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "key",
            "dynamic",
            "profile_id",
            "profileId",
            "aging_ms",
            "agingMs",
            "permissions",
            "dataplane",
            "pipeline",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Key,
            Dynamic,
            ProfileId,
            AgingMs,
            Permissions,
            Dataplane,
            Pipeline,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "key" => Ok(GeneratedField::Key),
                            "dynamic" => Ok(GeneratedField::Dynamic),
                            "profileId" | "profile_id" => Ok(GeneratedField::ProfileId),
                            "agingMs" | "aging_ms" => Ok(GeneratedField::AgingMs),
                            "permissions" => Ok(GeneratedField::Permissions),
                            "dataplane" => Ok(GeneratedField::Dataplane),
                            "pipeline" => Ok(GeneratedField::Pipeline),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = UpdateEntryRequest;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.UpdateEntryRequest")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<UpdateEntryRequest, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut key__ = None;
                let mut dynamic__ = None;
                let mut profile_id__ = None;
                let mut aging_ms__ = None;
                let mut permissions__ = None;
                let mut dataplane__ = None;
                let mut pipeline__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Key => {
                            if key__.is_some() {
                                return Err(serde::de::Error::duplicate_field("key"));
                            }
                            key__ = map_.next_value()?;
                        }
                        GeneratedField::Dynamic => {
                            if dynamic__.is_some() {
                                return Err(serde::de::Error::duplicate_field("dynamic"));
                            }
                            dynamic__ = map_.next_value()?;
                        }
                        GeneratedField::ProfileId => {
                            if profile_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("profileId"));
                            }
                            profile_id__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::AgingMs => {
                            if aging_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("agingMs"));
                            }
                            aging_ms__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::Permissions => {
                            if permissions__.is_some() {
                                return Err(serde::de::Error::duplicate_field("permissions"));
                            }
                            permissions__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::Dataplane => {
                            if dataplane__.is_some() {
                                return Err(serde::de::Error::duplicate_field("dataplane"));
                            }
                            dataplane__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Pipeline => {
                            if pipeline__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pipeline"));
                            }
                            pipeline__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(UpdateEntryRequest {
                    key: key__,
                    dynamic: dynamic__,
                    profile_id: profile_id__,
                    aging_ms: aging_ms__,
                    permissions: permissions__,
                    dataplane: dataplane__.unwrap_or_default(),
                    pipeline: pipeline__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.UpdateEntryRequest", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for UpdateEntryResponse {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.entry.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.UpdateEntryResponse", len)?;
        if let Some(v) = self.entry.as_ref() {
            struct_ser.serialize_field("entry", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for UpdateEntryResponse {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "entry",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Entry,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "entry" => Ok(GeneratedField::Entry),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = UpdateEntryResponse;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.UpdateEntryResponse")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<UpdateEntryResponse, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut entry__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Entry => {
                            if entry__.is_some() {
                                return Err(serde::de::Error::duplicate_field("entry"));
                            }
                            entry__ = map_.next_value()?;
                        }
                    }
                }
                Ok(UpdateEntryResponse {
                    entry: entry__,
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.UpdateEntryResponse", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for UpdateTableCommand {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.profiles.is_empty() {
            len += 1;
        }
        if self.permissions.is_some() {
            len += 1;
        }
        if !self.pipeline.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.UpdateTableCommand", len)?;
        if !self.profiles.is_empty() {
            struct_ser.serialize_field("profiles", &self.profiles)?;
        }
        if let Some(v) = self.permissions.as_ref() {
            struct_ser.serialize_field("permissions", v)?;
        }
        if !self.pipeline.is_empty() {
            struct_ser.serialize_field("pipeline", &self.pipeline)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for UpdateTableCommand {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "profiles",
            "permissions",
            "pipeline",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Profiles,
            Permissions,
            Pipeline,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "profiles" => Ok(GeneratedField::Profiles),
                            "permissions" => Ok(GeneratedField::Permissions),
                            "pipeline" => Ok(GeneratedField::Pipeline),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = UpdateTableCommand;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.UpdateTableCommand")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<UpdateTableCommand, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut profiles__ = None;
                let mut permissions__ = None;
                let mut pipeline__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Profiles => {
                            if profiles__.is_some() {
                                return Err(serde::de::Error::duplicate_field("profiles"));
                            }
                            profiles__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Permissions => {
                            if permissions__.is_some() {
                                return Err(serde::de::Error::duplicate_field("permissions"));
                            }
                            permissions__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::Pipeline => {
                            if pipeline__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pipeline"));
                            }
                            pipeline__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(UpdateTableCommand {
                    profiles: profiles__.unwrap_or_default(),
                    permissions: permissions__,
                    pipeline: pipeline__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.UpdateTableCommand", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for UpdateTableRequest {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.dataplane.is_empty() {
            len += 1;
        }
        if !self.profiles.is_empty() {
            len += 1;
        }
        if self.permissions.is_some() {
            len += 1;
        }
        if !self.pipeline.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.UpdateTableRequest", len)?;
        if !self.dataplane.is_empty() {
            struct_ser.serialize_field("dataplane", &self.dataplane)?;
        }
        if !self.profiles.is_empty() {
            struct_ser.serialize_field("profiles", &self.profiles)?;
        }
        if let Some(v) = self.permissions.as_ref() {
            struct_ser.serialize_field("permissions", v)?;
        }
        if !self.pipeline.is_empty() {
            struct_ser.serialize_field("pipeline", &self.pipeline)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for UpdateTableRequest {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "dataplane",
            "profiles",
            "permissions",
            "pipeline",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Dataplane,
            Profiles,
            Permissions,
            Pipeline,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "dataplane" => Ok(GeneratedField::Dataplane),
                            "profiles" => Ok(GeneratedField::Profiles),
                            "permissions" => Ok(GeneratedField::Permissions),
                            "pipeline" => Ok(GeneratedField::Pipeline),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = UpdateTableRequest;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.UpdateTableRequest")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<UpdateTableRequest, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut dataplane__ = None;
                let mut profiles__ = None;
                let mut permissions__ = None;
                let mut pipeline__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Dataplane => {
                            if dataplane__.is_some() {
                                return Err(serde::de::Error::duplicate_field("dataplane"));
                            }
                            dataplane__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Profiles => {
                            if profiles__.is_some() {
                                return Err(serde::de::Error::duplicate_field("profiles"));
                            }
                            profiles__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Permissions => {
                            if permissions__.is_some() {
                                return Err(serde::de::Error::duplicate_field("permissions"));
                            }
                            permissions__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::Pipeline => {
                            if pipeline__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pipeline"));
                            }
                            pipeline__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(UpdateTableRequest {
                    dataplane: dataplane__.unwrap_or_default(),
                    profiles: profiles__.unwrap_or_default(),
                    permissions: permissions__,
                    pipeline: pipeline__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.UpdateTableRequest", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for UpdateTableResponse {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.table.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.UpdateTableResponse", len)?;
        if let Some(v) = self.table.as_ref() {
            struct_ser.serialize_field("table", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for UpdateTableResponse {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "table",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Table,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "table" => Ok(GeneratedField::Table),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = UpdateTableResponse;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.UpdateTableResponse")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<UpdateTableResponse, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut table__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Table => {
                            if table__.is_some() {
                                return Err(serde::de::Error::duplicate_field("table"));
                            }
                            table__ = map_.next_value()?;
                        }
                    }
                }
                Ok(UpdateTableResponse {
                    table: table__,
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.UpdateTableResponse", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for WatchEventsRequest {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.filter.is_empty() {
            len += 1;
        }
        if !self.dataplane.is_empty() {
            len += 1;
        }
        if self.start.is_some() {
            len += 1;
        }
        if !self.pipeline.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.WatchEventsRequest", len)?;
        if !self.filter.is_empty() {
            struct_ser.serialize_field("filter", &self.filter)?;
        }
        if !self.dataplane.is_empty() {
            struct_ser.serialize_field("dataplane", &self.dataplane)?;
        }
        if let Some(v) = self.start.as_ref() {
            struct_ser.serialize_field("start", v)?;
        }
        if !self.pipeline.is_empty() {
            struct_ser.serialize_field("pipeline", &self.pipeline)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for WatchEventsRequest {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "filter",
            "dataplane",
            "start",
            "pipeline",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Filter,
            Dataplane,
            Start,
            Pipeline,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "filter" => Ok(GeneratedField::Filter),
                            "dataplane" => Ok(GeneratedField::Dataplane),
                            "start" => Ok(GeneratedField::Start),
                            "pipeline" => Ok(GeneratedField::Pipeline),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = WatchEventsRequest;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.WatchEventsRequest")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<WatchEventsRequest, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut filter__ = None;
                let mut dataplane__ = None;
                let mut start__ = None;
                let mut pipeline__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Filter => {
                            if filter__.is_some() {
                                return Err(serde::de::Error::duplicate_field("filter"));
                            }
                            filter__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Dataplane => {
                            if dataplane__.is_some() {
                                return Err(serde::de::Error::duplicate_field("dataplane"));
                            }
                            dataplane__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Start => {
                            if start__.is_some() {
                                return Err(serde::de::Error::duplicate_field("start"));
                            }
                            start__ = map_.next_value()?;
                        }
                        GeneratedField::Pipeline => {
                            if pipeline__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pipeline"));
                            }
                            pipeline__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(WatchEventsRequest {
                    filter: filter__.unwrap_or_default(),
                    dataplane: dataplane__.unwrap_or_default(),
                    start: start__,
                    pipeline: pipeline__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.WatchEventsRequest", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for WatchEventsResponse {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.events.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.WatchEventsResponse", len)?;
        if !self.events.is_empty() {
            struct_ser.serialize_field("events", &self.events)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for WatchEventsResponse {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "events",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Events,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "events" => Ok(GeneratedField::Events),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = WatchEventsResponse;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.WatchEventsResponse")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<WatchEventsResponse, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut events__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Events => {
                            if events__.is_some() {
                                return Err(serde::de::Error::duplicate_field("events"));
                            }
                            events__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(WatchEventsResponse {
                    events: events__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.WatchEventsResponse", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Welcome {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.epoch != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.Welcome", len)?;
        if self.epoch != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("epoch", ToString::to_string(&self.epoch).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Welcome {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "epoch",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Epoch,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "epoch" => Ok(GeneratedField::Epoch),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Welcome;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.Welcome")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Welcome, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut epoch__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Epoch => {
                            if epoch__.is_some() {
                                return Err(serde::de::Error::duplicate_field("epoch"));
                            }
                            epoch__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(Welcome {
                    epoch: epoch__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.Welcome", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for WhoAmIRequest {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let len = 0;
        let struct_ser = serializer.serialize_struct("flowtracker.v1.WhoAmIRequest", len)?;
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for WhoAmIRequest {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                            Err(serde::de::Error::unknown_field(value, FIELDS))
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = WhoAmIRequest;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.WhoAmIRequest")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<WhoAmIRequest, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                while map_.next_key::<GeneratedField>()?.is_some() {
                    let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                }
                Ok(WhoAmIRequest {
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.WhoAmIRequest", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for WhoAmIResponse {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.identity.is_empty() {
            len += 1;
        }
        if !self.role.is_empty() {
            len += 1;
        }
        if !self.door.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("flowtracker.v1.WhoAmIResponse", len)?;
        if !self.identity.is_empty() {
            struct_ser.serialize_field("identity", &self.identity)?;
        }
        if !self.role.is_empty() {
            struct_ser.serialize_field("role", &self.role)?;
        }
        if !self.door.is_empty() {
            struct_ser.serialize_field("door", &self.door)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for WhoAmIResponse {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "identity",
            "role",
            "door",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Identity,
            Role,
            Door,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "identity" => Ok(GeneratedField::Identity),
                            "role" => Ok(GeneratedField::Role),
                            "door" => Ok(GeneratedField::Door),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = WhoAmIResponse;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct flowtracker.v1.WhoAmIResponse")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<WhoAmIResponse, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut identity__ = None;
                let mut role__ = None;
                let mut door__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Identity => {
                            if identity__.is_some() {
                                return Err(serde::de::Error::duplicate_field("identity"));
                            }
                            identity__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Role => {
                            if role__.is_some() {
                                return Err(serde::de::Error::duplicate_field("role"));
                            }
                            role__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Door => {
                            if door__.is_some() {
                                return Err(serde::de::Error::duplicate_field("door"));
                            }
                            door__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(WhoAmIResponse {
                    identity: identity__.unwrap_or_default(),
                    role: role__.unwrap_or_default(),
                    door: door__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("flowtracker.v1.WhoAmIResponse", FIELDS, GeneratedVisitor)
    }
}
